// The machine around the app, with its tools, settings, clipboard and files.
import type { Check } from "../lib/types/Check";
import type { ImportOffer } from "../lib/types/ImportOffer";
import type { Settings } from "../lib/types/Settings";
import type { Commands } from "./commands";
import type { World } from "./world";

const CHECKS: Check[] = [
  { id: "ssh", title: "ssh", state: "ok", detail: "OpenSSH 9.2 at /usr/bin/ssh", fix: null },
  { id: "agent", title: "Keys of the ssh agent", state: "missing", detail: "An ssh agent runs, but holds no key: hosts that want one will be refused", fix: "ssh-add" },
  { id: "kubectl", title: "kubectl", state: "ok", detail: "1.33 at /usr/local/bin/kubectl", fix: null },
  { id: "docker", title: "docker", state: "unknown", detail: "Found at /usr/bin/docker, but it did not answer within two seconds.", fix: null },
  { id: "podman", title: "podman", state: "ok", detail: "4.3.1 at /usr/bin/podman", fix: null },
];

const OFFERS: ImportOffer[] = [
  { id: "ssh:web1", kind: "ssh", name: "web1", host: "web1", line: "ssh: web1", fields: { ssh: "web1" }, detail: "web1.example.com", unusable: null },
  { id: "ssh:db", kind: "ssh", name: "db", host: "db", line: "ssh: db", fields: { ssh: "db" }, detail: "db.example.com", unusable: null },
  { id: "ssh:build", kind: "ssh", name: "build", host: "build", line: "ssh: build", fields: { ssh: "build" }, detail: "203.0.113.20", unusable: null },
  { id: "podman:web", kind: "podman", name: "web", host: "web", line: "podman: web", fields: { podman: "web" }, detail: "nginx:1.29, port 80", unusable: null },
  { id: "kubernetes:staging/default/deployment/api", kind: "kubernetes", name: "staging/default/deployment/api", host: "api", line: "kubernetes: {context: staging, namespace: default, deployment: api}", fields: { "kubernetes.context": "staging", "kubernetes.namespace": "default", "kubernetes.deployment": "api" }, detail: "shop/api:3, port 8080", unusable: null },
  { id: "kubernetes:production/shop/pod/db-0", kind: "kubernetes", name: "production/shop/pod/db-0", host: "db-0", line: "kubernetes: {context: production, namespace: shop, pod: db-0}", fields: { "kubernetes.context": "production", "kubernetes.namespace": "shop", "kubernetes.pod": "db-0" }, detail: "postgres:18, port 5432", unusable: null },
];

const CONTEXTS = ["staging", "production"];

const SCRIPTS: Record<string, string> = {
  posix: "export http_proxy=http://127.0.0.1:18080\nexport https_proxy=http://127.0.0.1:18080\nexport no_proxy=localhost,.localhost,127.0.0.1,::1",
  fish: "set -gx http_proxy http://127.0.0.1:18080\nset -gx https_proxy http://127.0.0.1:18080\nset -gx no_proxy localhost,.localhost,127.0.0.1,::1",
  powershell: '$env:http_proxy = "http://127.0.0.1:18080"\n$env:https_proxy = "http://127.0.0.1:18080"',
  cmd: "set http_proxy=http://127.0.0.1:18080\r\nset https_proxy=http://127.0.0.1:18080",
};

export function machineCommands(world: World): Commands {
  return {
    checks: () => CHECKS,
    imports: ({ context }) => ({ offers: OFFERS.filter(({ kind, name }) => kind !== "kubernetes" || name.startsWith(`${context ?? CONTEXTS[0]}/`)), contexts: CONTEXTS, context: context ?? CONTEXTS[0], note: null }),
    create_from: ({ then }) => {
      if (then === "stopAndOpen") {
        world.hosts = [];
        world.tell({ kind: "ended" });
        world.tellApp({ network: null });
      }
      if (then !== "write") {
        world.tellApp({ manifest: world.scene.file });
      }
      return "/home/ada/norouter.yaml";
    },
    forget_recent: ({ path }) => world.tellApp({ recent: world.app.recent.filter((recent) => recent.path !== path) }),
    set_settings: ({ settings }) => world.tellApp({ settings: settings as Settings }),
    env_script: ({ shell }) => SCRIPTS[String(shell)] ?? "",
    copy: ({ text }) => {
      document.documentElement.dataset["copied"] = String(text);
    },
    open_url: ({ url }) => {
      document.documentElement.dataset["opened"] = String(url);
    },
    diagnostics: () => `NoRouter ${world.app.version} on ${world.app.platform}\nnetwork: ${world.scene.name}, ${world.hosts.length} hosts\n${world.hosts.map((host) => `  ${host.name} ${host.vip} ${host.state}`).join("\n")}\n`,
    diagnostics_save: () => "/home/ada/norouter-diagnostics.txt",
    export_log: () => "/home/ada/norouter.log",
    report: ({ message }) => console.error(message),
  };
}
