// The simulated file, and a checker that finds a few of the problems that the real one finds. `mockDisk.write(text)` in
// the browser's console writes the file like another program.
import schema from "../../../docs/manifest.schema.json";
import type { Checked } from "../lib/types/Checked";
import type { ConsentHost } from "../lib/types/ConsentHost";
import type { EffectLine } from "../lib/types/EffectLine";
import type { ManifestText } from "../lib/types/ManifestText";
import type { Problem } from "../lib/types/Problem";
import type { Commands } from "./commands";
import type { Scene } from "./scenes";
import type { World } from "./world";

export type MockDisk = { write: (text: string) => void; read: () => string };

export function manifestCommands(world: World): Commands {
  let text = written(world.scene);
  let running = text;
  const editable = world.app.network?.hosted !== false;
  const file = (): ManifestText => ({ path: world.scene.file, text, hash: hash(text), editable });
  const disk: MockDisk = {
    read: () => text,
    write: (now) => {
      text = now;
      world.tell({ kind: "manifest", manifest: file() });
    },
  };
  Object.assign(window, { mockDisk: disk });
  return {
    manifest_read: file,
    manifest_check: ({ text }) => check(String(text), running, world),
    manifest_save: ({ text: now, base }) => {
      if (base !== hash(text)) {
        throw `${world.scene.file} has changed on disk since it was read.`;
      }
      text = String(now);
      if (!check(text, running, world).problems.some((problem) => problem.severity === "error")) {
        running = text;
      }
      world.tell({ kind: "manifest", manifest: file() });
      return file();
    },
    manifest_schema: () => schema,
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
  const lines = [`# The network of the ${scene.name}: what we reach from our laptops.`, "hosts:"];
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
  const lines: EffectLine[] = [];
  const commands: ConsentHost[] = [];
  // The real program compares whole plans. The mock compares only published ports, which people see most.
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
    const command = commandOf(block);
    if (old === undefined) {
      lines.push({ kind: "add", host, text: `${host} is added at ${vip}` });
      commands.push({ host, vip, command, previous: null, change: "new" });
    } else if (commandOf(old).join(" ") !== command.join(" ")) {
      drops += world.hosts.find((other) => other.name === host)?.traffic.flows ?? 0;
      lines.push({ kind: "restart", host, text: `${host} is started again with another command` });
      commands.push({ host, vip, command, previous: commandOf(old), change: "changed" });
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
      problems.push({ severity, line: row + 1, column, endLine: row + 1, endColumn: column + word.length, message, hint });
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
  return problems;
}

function hostsOf(text: string): Map<string, string> {
  const hosts = text.split(/^routes:/m)[0] ?? "";
  const blocks = hosts.split(/^ {2}(?=[\w.-]+:)/m).slice(1);
  return new Map(blocks.map((block) => [block.slice(0, block.indexOf(":")), block.trim()]));
}

function commandOf(block: string): string[] {
  const line = /cmd: "?([^"\n]*)/.exec(block)?.[1];
  return line === undefined ? [] : [...line.split(/\s+/), "agent", "--automated"];
}
