// All words that people read, as one object per part of the page. Another language would be another such object.
import { flows } from "./strings/flows";
import { host } from "./strings/host";
import { log } from "./strings/log";
import { manifest } from "./strings/manifest";
import { network } from "./strings/network";
import { policy } from "./strings/policy";
import { settings } from "./strings/settings";
import { shell } from "./strings/shell";
import { states } from "./strings/states";
import { welcome } from "./strings/welcome";

export const t = { shell, states, network, host, welcome, settings, flows, log, manifest, policy };
