// Carries out what the person does in the picture: asks before a change that reaches further than it seems, sends the
// edits to the model, and selects what the person expects to be selected afterwards.
import { confirm } from "../../../lib/confirm.svelte";
import { manifestModel } from "../../../lib/manifest/manifest.svelte";
import { selection } from "../../../lib/manifest/selection.svelte";
import { t } from "../../../lib/strings";
import { toasts } from "../../../lib/toasts.svelte";
import type { EditRequest } from "../../../lib/types/EditRequest";
import type { Outline } from "../../../lib/types/Outline";
import * as gestures from "./gestures";
import type { Cloud } from "./model";
import type { NewHost } from "./view.svelte";

const words = t.picture.steps;

/** Up to three names, or the number of hosts if there are more. */
function told(names: readonly string[]): string {
  return names.length > 3 ? t.picture.group.hosts(names.length) : names.join(", ");
}

/** Makes edits in the present text. Returns true if they were made, or if there are none to make. */
async function make(edits: EditRequest[], label: string): Promise<boolean> {
  return edits.length === 0 || (manifestModel.canEdit && (await manifestModel.apply(edits, label)));
}

function withOutline(edits: (outline: Outline) => EditRequest[], label: string): Promise<boolean> {
  return manifestModel.outline === null ? Promise.resolve(false) : make(edits(manifestModel.outline), label);
}

/** Changes a port. One from `hostTemplate` belongs to all hosts, so the person is asked before it changes. */
async function changePort(host: string, number: number, edits: (outline: Outline) => EditRequest[], label: string): Promise<boolean> {
  const place = () => (manifestModel.outline === null ? null : gestures.portPlace(manifestModel.outline, host, number));
  const asked = place();
  if (asked?.origin === "template") {
    const ask = t.picture.template;
    if ((await confirm.choose(ask.title, ask.text, [{ id: "all", label: ask.yes, kind: "primary" }])) === null) {
      return false;
    }
    if (place()?.text !== asked.text) {
      toasts.error(t.manifest.notEdited, t.manifest.moved);
      return false;
    }
  }
  return asked !== null && withOutline(edits, label);
}

export const actions = {
  async addHost(draft: NewHost): Promise<boolean> {
    const name = draft.name.trim();
    const isDone = await make(gestures.addHost(draft), words.addHost(name));
    if (isDone) {
      selection.only(name);
    }
    return isDone;
  },

  rename: (from: string, to: string) => make(gestures.rename(from, to), words.rename(from, to)),

  vip: (host: string, vip: string) => make(gestures.setVip(host, vip), words.vip(host)),

  target: (host: string, text: string) =>
    withOutline((outline) => {
      const found = outline.hosts.find((one) => one.name === host);
      return found === undefined ? [] : gestures.setTarget(found, text);
    }, words.target(host)),

  /** Copies hosts and selects the copies. Returns the names of the copies. */
  async duplicate(names: readonly string[]): Promise<string[]> {
    if (manifestModel.outline === null || names.length === 0) {
      return [];
    }
    const { edits, copies } = gestures.duplicate(manifestModel.outline, names);
    if (!(await make(edits, words.duplicate(told(names))))) {
      return [];
    }
    selection.clear();
    copies.forEach((name) => selection.hosts.add(name));
    return copies;
  },

  removeHosts: (names: readonly string[]) => make(gestures.removeHosts(names), words.removeHosts(told(names))),

  publish: (host: string, port: string) => make(gestures.publish(host, port), words.publish(port, host)),

  removePort: (host: string, number: number, port: string) => changePort(host, number, (outline) => gestures.removePort(outline, host, number), words.removePort(port, host)),

  setPort: (host: string, number: number, port: string) => changePort(host, number, (outline) => gestures.setPort(outline, host, number, port), words.setPort(port, host)),

  async addRoute(via: string, pattern: string): Promise<boolean> {
    const isDone = await make(gestures.addRoute(via, pattern), words.addRoute(via));
    if (isDone && manifestModel.outline !== null) {
      selection.onlyRoute(manifestModel.outline.routes.length - 1);
    }
    return isDone;
  },

  removeRoute: (at: number) => make([{ kind: "remove", list: "routes", at }], words.removeRoute(at + 1)),

  moveRoute: (at: number, by: 1 | -1) => withOutline((outline) => gestures.moveRoute(outline, at, by), words.moveRoute(at + 1)),

  setVia: (cloud: Cloud, to: string) => withOutline((outline) => gestures.setVia(outline, cloud.at, cloud.via[0] ?? "", to), words.via(cloud.at + 1, to)),

  addVia: (cloud: Cloud, host: string) => withOutline((outline) => gestures.addVia(outline, cloud.at, host), words.via(cloud.at + 1, host)),

  addPattern: (at: number, list: gestures.List, pattern: string) => withOutline((outline) => gestures.addPattern(outline, at, list, pattern), words.addPattern(pattern)),

  setPattern: (at: number, list: gestures.List, number: number, pattern: string) => withOutline((outline) => gestures.setPattern(outline, at, list, number, pattern), words.setPattern(pattern)),

  removePattern: (at: number, list: gestures.List, number: number, pattern: string) => withOutline((outline) => gestures.removePattern(outline, at, list, number), words.removePattern(pattern)),
};
