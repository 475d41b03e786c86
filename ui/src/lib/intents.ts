// The actions of a person. An action that ends something asks before. Most actions report their result.
import { SvelteSet } from "svelte/reactivity";

import { confirm } from "./confirm.svelte";
import { ipc } from "./ipc";
import { truth } from "./store.svelte";
import { t } from "./strings";
import { act, actUndoable, toasts } from "./toasts.svelte";
import { openFlows } from "./truth";
import type { HostView } from "./types/HostView";
import type { Recent } from "./types/Recent";
import type { Settings } from "./types/Settings";
import type { Then } from "./types/Then";

const { did, failed, confirm: words } = t.shell;

let setting: Promise<unknown> = Promise.resolve();

/** Stops the shown network and waits for its end. Returns whether it has ended. */
async function stopShown(): Promise<boolean> {
  if ((await act(ipc.stop().then(() => true), null, failed.stop)) !== true) {
    return false;
  }
  await truth.until(() => truth.app?.network === null);
  return true;
}

/** The manifests that the person has just removed from the list, but that the app still lists. */
const removing = new SvelteSet<string>();

export const intents = {
  /**
   * A successful start is not reported, because its result is visible: the network, or the question about its commands.
   */
  start: () => act(ipc.start(), null, failed.start),

  async stop() {
    const shown = truth.app?.network;
    if (!shown) {
      return;
    }
    const counts = words.stopText(truth.hosts.length, openFlows(truth.hosts));
    const text = shown.hosted ? counts : `${counts} ${words.stopForeign}`;
    if (!(await confirm.ask(words.stopTitle(shown.name), text, t.shell.header.stop)) || !(await stopShown())) {
      return;
    }
    // Only the app's own network can be started again from its manifest. A network of another program may need more
    // than that.
    if (shown.hosted) {
      toasts.undoable(did.stopped(shown.name), () => truth.app?.manifest === shown.manifest && intents.start());
    } else {
      toasts.done(did.stopped(shown.name));
    }
  },

  reload: () => act(ipc.reload(), did.reloaded, failed.reload),
  attach: (name: string) => act(ipc.attach(name), did.attached(name), failed.attach),
  detach: () => act(ipc.detach(), did.detached, failed.detach),

  /**
   * The page does not ask whether the network may be ended. The app asks, because it can also be quit from the tray.
   */
  quit: () => act(ipc.quit(), null, failed.quit),

  // When another manifest is opened, a network that the app runs keeps running.
  openDialog: () => act(ipc.openDialog(), null, failed.open),
  openDemo: () => act(ipc.openDemo(), null, failed.demo),
  createExample: () => act(ipc.createExample(), null, failed.open),
  open: (path: string) => act(ipc.openManifest(path), null, failed.open),
  /** Makes a new manifest with hosts that were found on this machine. Returns whether the file was made. */
  async createFrom(offers: string[], then: Then = "open"): Promise<boolean> {
    const path = await act(ipc.createFrom(offers, then), null, failed.open);
    if (path && then === "write") {
      toasts.done(did.saved(path));
    }
    return typeof path === "string";
  },

  /** The manifests that were open before, without those that the person has just removed from the list. */
  recent: (): Recent[] => (truth.app?.recent ?? []).filter(({ path }) => !removing.has(path)),

  /**
   * Removes a manifest from the list of those that were open before. As long as the message is shown, this can be
   * undone.
   */
  forget(file: Recent): void {
    removing.add(file.path);
    const back = () => removing.delete(file.path);
    toasts.undoable(did.forgot(file.name), back, () => act(ipc.forgetRecent(file.path), null, failed.recent).finally(back));
  },

  startHost: (name: string) => act(ipc.startHost(name), did.hostStarted(name), failed.hostStart(name)),

  async stopHost(host: HostView) {
    const text = words.stopHostText(host.traffic.flows);
    if (await confirm.ask(words.stopHostTitle(host.name), text, t.host.stop)) {
      await actUndoable(ipc.stopHost(host.name), did.hostStopped(host.name), () => intents.startHost(host.name), failed.hostStop(host.name));
    }
  },

  /** Restarts a host. Asks before, but only if open connections would be cut. */
  async restartHost(host: HostView) {
    const text = words.restartHostText(host.traffic.flows);
    const idle = host.traffic.flows === 0;
    if (idle || (await confirm.ask(words.restartHostTitle(host.name), text, t.host.restart))) {
      await act(ipc.restartHost(host.name), did.hostRestarted(host.name), failed.hostRestart(host.name));
    }
  },

  approve: (name: string, number: number) =>
    act(ipc.approve(name, number), did.approved(name), failed.approve),

  /** Copies a text. `what` is its name in the message afterwards. */
  copy: (text: string, what: string) => act(ipc.copy(text), did.copied(what), failed.copy),
  openUrl: (url: string) => act(ipc.openUrl(url), null, failed.url),

  /** Changes some of the settings. Changes wait for each other, so that a later one does not undo an earlier one. */
  settings(change: Partial<Settings>): Promise<boolean> {
    const take = async () => {
      await ipc.setSettings({ ...(await ipc.app()).settings, ...change });
      return true;
    };
    const taken = setting.then(async () => (await act(take(), null, failed.settings)) === true);
    setting = taken;
    return taken;
  },
};
