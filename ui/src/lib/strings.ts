// All words that people read, with one object for each part of the page. A translation would be another such object.
import { diagram } from "./strings/diagram";
import { flows } from "./strings/flows";
import { form } from "./strings/form";
import { host } from "./strings/host";
import { log } from "./strings/log";
import { manifest } from "./strings/manifest";
import { network } from "./strings/network";
import { picture } from "./strings/picture";
import { policy } from "./strings/policy";
import { settings } from "./strings/settings";
import { shell } from "./strings/shell";
import { states } from "./strings/states";
import { test } from "./strings/test";
import { welcome } from "./strings/welcome";

export const t = { shell, states, diagram, network, host, welcome, settings, flows, log, manifest, form, test, picture, policy };
