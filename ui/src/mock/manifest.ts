// The simulated file, and a checker that finds a few of the problems that the real one finds. `mockDisk.write(text)` in
// the browser's console writes the file as another program would, and `mockModel` is what the page knows of it.
import { LineCounter, parseDocument } from "yaml";

import schema from "../../../docs/manifest.schema.json";
import { manifestModel } from "../lib/manifest/manifest.svelte";
import type { ChangedBy } from "../lib/types/ChangedBy";
import type { Checked } from "../lib/types/Checked";
import type { ConsentHost } from "../lib/types/ConsentHost";
import type { EditRequest } from "../lib/types/EditRequest";
import type { EffectLine } from "../lib/types/EffectLine";
import type { ManifestChange } from "../lib/types/ManifestChange";
import type { ManifestText } from "../lib/types/ManifestText";
import type { Problem } from "../lib/types/Problem";
import type { Commands } from "./commands";
import { editText } from "./manifestEdit";
import { FIELDS } from "./manifestFields";
import { mergeTexts } from "./manifestMerge";
import { outlineOf } from "./manifestOutline";
import { placesOf } from "./manifestPlace";
import type { Scene } from "./scenes";
import type { World } from "./world";

export type MockDisk = { write: (text: string) => void; read: () => string };
export type MockModel = typeof manifestModel;

export function manifestCommands(world: World): Commands {
  let text = written(world.scene);
  let running = text;
  const changes: (ManifestChange & { text: string })[] = [];
  const note = (by: ChangedBy) => {
    if (changes[0]?.text !== text) {
      const before = changes[0]?.text;
      const lines = before === undefined ? [] : (check(text, before, world).effect?.lines ?? []);
      changes.unshift({ id: changes.length + 1, atMs: Date.now(), by: before === undefined ? "first" : by, effect: lines.map((line) => line.text), text });
    }
  };
  note("first");
  // In one scene, this user may not write the file.
  const editable = new URLSearchParams(location.search).get("scene") !== "attached";
  const file = (): ManifestText => ({ path: world.scene.file, text, hash: hash(text), editable });
  const disk: MockDisk = {
    read: () => text,
    write: (now) => {
      text = now;
      note("other");
      world.tell({ kind: "manifest", manifest: file() });
    },
  };
  Object.assign(window, { mockDisk: disk, mockModel: manifestModel });
  return {
    manifest_read: file,
    manifest_check: ({ text }) => check(String(text), running, world),
    manifest_save: ({ text: now, base, by }) => {
      if (base !== hash(text)) {
        throw `${world.scene.file} has changed on disk since it was read.`;
      }
      text = String(now);
      note(by as ChangedBy);
      const { problems, effect } = check(text, running, world);
      const asks = effect !== null && world.app.network?.phase === "running" && effect.commands.length + effect.grants.length > 0;
      if (asks) {
        // What grants anything new waits as a whole.
        const saved = text;
        const grants = effect.grants.map((text) => ({ text, isNew: true }));
        world.waits = { path: world.scene.file, digest: hash(saved), running: true, hosts: effect.commands, grants, doubts: [] };
        world.agreed = () => (running = saved);
        world.tellApp({ consent: world.app.network?.hosted ? world.waits : null });
        world.tell({ kind: "network", network: world.view() });
      } else if (!problems.some((problem) => problem.severity === "error")) {
        running = text;
      }
      world.tell({ kind: "manifest", manifest: file() });
      return file();
    },
    manifest_outline: ({ text }) => outlineOf(String(text)),
    manifest_edit: ({ text, edits }) => editText(String(text), edits as EditRequest[]),
    manifest_fields: () => FIELDS,
    manifest_merge: ({ base, mine, theirs }) => mergeTexts(String(base), String(mine), String(theirs)),
    manifest_schema: () => schema,
    manifest_history: () => changes.map(({ text: _, ...change }) => change),
    manifest_history_text: ({ id }) => {
      const found = changes.find((change) => change.id === id);
      if (found === undefined) {
        throw "this content of the file is not kept any more";
      }
      return found.text;
    },
  };
}

function hash(text: string): string {
  let sum = 5381;
  for (const char of text) {
    sum = (sum * 33 + (char.codePointAt(0) ?? 0)) % 4_294_967_296;
  }
  return sum.toString(16);
}

/** The manifest of the scene, as a person would write it. */
function written(scene: Scene): string {
  const lines = [`# The network of the ${scene.name}: what we reach from our laptops.`, scene.actors.length === 0 ? "hosts: {}" : "hosts:"];
  for (const { plan } of scene.actors) {
    lines.push(`  ${plan.name}:`, `    vip: "${plan.vip}"`);
    const command = plan.command.filter((word) => word !== "agent" && word !== "--automated");
    if (command.length > 0) {
      lines.push(`    cmd: "${command.join(" ")}"`);
    }
    if (plan.aliases.length > 0) {
      lines.push(`    aliases: [${plan.aliases.map((alias) => `"${alias}"`).join(", ")}]`);
    }
    if (plan.publishes.length > 0) {
      lines.push("    ports:", ...plan.publishes.map((port) => `      - "${port.port}:${port.target}"`));
    }
    if (plan.http !== undefined) {
      lines.push(`    http: {listen: "${plan.http}"}`);
    }
  }
  if (scene.routes.length > 0) {
    lines.push("", "# The last route that fits wins.", "routes:");
  }
  for (const route of scene.routes) {
    lines.push(`  - via: ${route.via}`, `    to: [${route.to.map((to) => `"${to}"`).join(", ")}]`);
    if (route.notTo.length > 0) {
      lines.push(`    notTo: [${route.notTo.map((to) => `"${to}"`).join(", ")}]  # printers`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const KEYS = Object.keys(schema.properties.hosts.additionalProperties.properties);

function check(text: string, running: string, world: World): Checked {
  const problems = problemsOf(text);
  if (problems.some((problem) => problem.severity === "error")) {
    return { problems, effect: null };
  }
  const before = hostsOf(running);
  const now = hostsOf(text);
  const commandsOf = (all: string) => new Map((outlineOf(all)?.hosts ?? []).map((host) => [host.name, host.argv]));
  const [oldCommands, newCommands] = [commandsOf(running), commandsOf(text)];
  const lines: EffectLine[] = [];
  const commands: ConsentHost[] = [];
  // The real program compares whole plans. The mock compares only published ports, because people look at them most.
  const published = (hosts: Map<string, string>) =>
    [...hosts].flatMap(([host, block]) =>
      [...block.matchAll(/"(\d+):([^":]+:\d+)"/g)].map(([, port, target]) => `all hosts can connect to ${target} of ${host}, as ${host}:${port}`),
    );
  const granted = new Set(published(before));
  const grants = published(now).filter((grant) => !granted.has(grant));
  let drops = 0;
  for (const [host, block] of now) {
    const old = before.get(host);
    const vip = /vip: "?([\d.]+)/.exec(block)?.[1] ?? "127.0.42.150";
    const command = newCommands.get(host) ?? [];
    const previous = oldCommands.get(host) ?? [];
    if (old === undefined) {
      lines.push({ kind: "add", host, text: `${host} is added at ${vip}` });
      commands.push({ host, vip, command, previous: null, change: "new" });
    } else if (previous.join(" ") !== command.join(" ")) {
      drops += world.hosts.find((other) => other.name === host)?.traffic.flows ?? 0;
      lines.push({ kind: "restart", host, text: `${host} is started again with another command` });
      commands.push({ host, vip, command, previous, change: "changed" });
    } else if (old !== block) {
      lines.push({ kind: "reconfigure", host, text: `${host} is told its new settings; it keeps its connections` });
    }
  }
  for (const host of before.keys()) {
    if (!now.has(host)) {
      drops += world.hosts.find((other) => other.name === host)?.traffic.flows ?? 0;
      lines.push({ kind: "remove", host, text: `${host} leaves the network` });
    }
  }
  return { problems, effect: { lines, drops, untouched: now.size - lines.filter((line) => line.kind !== "remove").length, commands, grants } };
}

function problemsOf(text: string): Problem[] {
  const problems: Problem[] = [];
  text.split("\n").forEach((line, row) => {
    const at = (word: string, severity: Problem["severity"], message: string, hint: string | null) => {
      const column = line.indexOf(word) + 1;
      problems.push({ severity, line: row + 1, column, endLine: row + 1, endColumn: column + word.length, message, hint, place: null });
    };
    const key = /^ {4}([\w-]+):/.exec(line)?.[1];
    const inRoutes = text.slice(0, text.indexOf(line)).includes("\nroutes:");
    if (key !== undefined && !inRoutes && !KEYS.includes(key) && !key.startsWith("x-")) {
      at(key, "warning", `"${key}" is not known here`, `did you mean "${KEYS.find((known) => known.startsWith(key[0] ?? "")) ?? "ports"}"?`);
    }
    for (const [port] of line.replace(/#.*/, "").matchAll(/\b\d{5,}\b/g)) {
      if (Number(port) > 65_535) {
        at(port, "error", `the port ${port} is larger than 65535`, "ports are 1 to 65535");
      }
    }
    if ((line.match(/"/g)?.length ?? 0) % 2 === 1) {
      at('"', "error", "this quote is never closed", 'write " at the end of the text');
    }
  });
  const lines = new LineCounter();
  for (const error of parseDocument(text, { merge: true, lineCounter: lines }).errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.push({ severity: "error", line, column: col, endLine: line, endColumn: col + 1, message: error.message.split("\n")[0] ?? "", hint: null, place: null });
  }
  const rows = text.split("\n");
  const begins = (line: number) => rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
  const places = placesOf(text, problems.map(({ line, column }) => begins(line) + column - 1));
  return problems.map((problem, at) => ({ ...problem, place: places[at] ?? null }));
}

export function hostsOf(text: string): Map<string, string> {
  const hosts = text.split(/^hosts:/m)[1]?.split(/^routes:/m)[0]?.replace(/^\s*#.*$/gm, "") ?? "";
  const blocks = hosts.split(/^ {2}(?=[\w.-]+:)/m).slice(1);
  return new Map(blocks.map((block) => [block.slice(0, block.indexOf(":")), block.trim()]));
}
