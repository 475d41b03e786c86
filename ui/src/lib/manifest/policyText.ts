// The policy of a manifest, as the form shows and edits it. An edit changes only the lines of the rule, test or group that
// it is about. Each result is read again, and is used only if it means exactly what was asked, leaves the source of all
// other keys as it is, and keeps all comments except those of what was removed. All other edits are refused, because the
// text is the place for them. What is written with anchors, merge keys or tags is left to the text, too.
import { isAlias, isMap, isPair, isScalar, isSeq, Lexer, LineCounter, type Node, type Pair, parseDocument, visit, type YAMLMap, type YAMLSeq } from "yaml";

export type Listed = {
  /** The values of each key. A key without a value is missing. */
  values: Record<string, string[]>;
  /** The source of all keys that the form does not know. */
  others: string[];
  line: number;
  endLine: number;
};
export type PolicyOutline = { line: number; /** The decision if no rule fits; null if it is not written. */ standard: string | null; groups: { name: string; hosts: string[]; line: number }[]; rules: Listed[]; tests: Listed[] };
export type ListName = "rules" | "tests";
export type PolicyEdit =
  | { kind: "set"; list: ListName; at: number; key: string; values: string[] }
  | { kind: "add"; list: ListName; values: Record<string, string[]> }
  | { kind: "remove"; list: ListName; at: number }
  | { kind: "move"; list: ListName; at: number; by: 1 | -1 }
  | { kind: "group"; name: string; hosts: string[] };

/** The keys of rules and tests, in the order in which they are written. */
export const KEYS: Record<ListName, readonly string[]> = { rules: ["from", "to", "via", "ports", "action"], tests: ["from", "to", "expect"] };
/** The keys that have one word, and not a list. */
const WORDS = ["action", "expect"];

type Read = { root: YAMLMap<Node, Node | null>; policy: YAMLMap<Node, Node | null> | null; lines: LineCounter };

function read(text: string): Read | null {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, intAsBigInt: true });
  const root = doc.contents;
  if (doc.errors.length > 0 || !isMap(root)) {
    return null;
  }
  const policy = valueOf(root as YAMLMap<Node, Node | null>, "policy");
  return policy === null || isMap(policy) ? { root: root as Read["root"], policy: policy as Read["policy"], lines } : null;
}

/** Whether a part of the text can be edited here: it has no anchors, aliases, merge keys and tags. */
function isPlain(node: Node): boolean {
  let plain = true;
  visit(node, (_, one) => {
    const isOdd = isAlias(one) || ((isScalar(one) || isMap(one) || isSeq(one)) && (one.anchor !== undefined || one.tag !== undefined)) || (isPair(one) && isScalar(one.key) && one.key.value === "<<");
    plain &&= !isOdd;
    return isOdd ? visit.BREAK : undefined;
  });
  return plain;
}

function pairOf(map: YAMLMap<Node, Node | null>, key: string): Pair<Node, Node | null> | null {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) ?? null;
}

function valueOf(map: YAMLMap<Node, Node | null>, key: string): Node | null {
  const value = pairOf(map, key)?.value ?? null;
  return isScalar(value) && value.value === null ? null : value;
}

function textsOf(node: Node | null): string[] {
  const scalar = (one: unknown) => (isScalar(one) && one.value !== null ? [typeof one.source === "string" && typeof one.value !== "string" ? one.source : String(one.value)] : []);
  return isSeq(node) ? node.items.flatMap(scalar) : scalar(node);
}

function itemsOf(policy: YAMLMap<Node, Node | null> | null, list: ListName): YAMLMap<Node, Node | null>[] | null {
  const found = policy === null ? null : valueOf(policy, list);
  if (found === null) {
    return [];
  }
  return isSeq(found) && found.items.every((item) => isMap(item)) ? (found.items as YAMLMap<Node, Node | null>[]) : null;
}

/** What the policy says; null if it is missing, and "unusual" if the form cannot show it. */
export function policyOf(text: string): PolicyOutline | null | "unusual" {
  return outlineOf(text, read(text));
}

function outlineOf(text: string, found: Read | null): PolicyOutline | null | "unusual" {
  if (found === null) {
    return "unusual";
  }
  const { policy, lines } = found;
  if (policy === null) {
    return null;
  }
  const groups = valueOf(policy, "groups");
  const listed = (list: ListName) =>
    itemsOf(policy, list)?.map((item): Listed => {
      const values = Object.fromEntries(KEYS[list].map((key): [string, string[]] => [key, textsOf(valueOf(item, key))]).filter(([, all]) => all.length > 0));
      return { values, others: sourcesOf(text, item, KEYS[list]), line: lineAt(lines, item.range?.[0]), endLine: lineAt(lines, item.range?.[1]) };
    });
  const [rules, tests] = [listed("rules"), listed("tests")];
  if (!isPlain(policy) || rules === undefined || tests === undefined || (groups !== null && !isMap(groups))) {
    return "unusual";
  }
  return {
    line: lineAt(lines, policy.range?.[0]),
    standard: textsOf(valueOf(policy, "default"))[0] ?? null,
    groups: ((groups as Read["policy"])?.items ?? []).map((pair) => ({ name: isScalar(pair.key) ? String(pair.key.value) : "", hosts: textsOf(pair.value), line: lineAt(lines, pair.key.range?.[0]) })),
    rules,
    tests,
  };
}

function lineAt(lines: LineCounter, offset: number | undefined): number {
  return lines.linePos(offset ?? 0).line;
}

/** Makes an edit. Returns the new text, or null if the policy is written in a way that cannot be edited here. */
export function editPolicy(text: string, edit: PolicyEdit): string | null {
  const found = read(text);
  const before = outlineOf(text, found);
  if (before === "unusual" || found === null) {
    return null;
  }
  const made = spliced(text, found, edit);
  const again = made === null ? null : read(made);
  const after = made === null ? "unusual" : outlineOf(made, again);
  if (made === null || again === null || after === "unusual") {
    return null;
  }
  const isMeant = JSON.stringify(said(after)) === JSON.stringify(meant(said(before), edit));
  const own = ownLines(text, found, edit);
  const kept = commentsOf(text).filter(({ at }) => own === null || at < own.from || at >= own.to);
  const isKept = listOf(kept) === listOf(commentsOf(made));
  return isMeant && isKept && rest(text, found) === rest(made, again) ? made : null;
}

/**
 * What the policy of a text says, without its lines. Numbers of rules and tests that were counted in one text are right in
 * another one if the policies of both say the same.
 */
export function policySays(text: string): string {
  const policy = policyOf(text);
  return policy === "unusual" ? text : JSON.stringify(said(policy));
}

type Said = { groups: Record<string, string[]>; rules: Record<string, string[]>[]; tests: Record<string, string[]>[] };

/** The key in `Said` for the keys that the form does not know. */
const OTHERS = "";

function said(policy: PolicyOutline | null): Said {
  const all = (list: Listed[]) => list.map(({ values, others }) => (others.length === 0 ? values : { ...values, [OTHERS]: others }));
  return { groups: Object.fromEntries((policy?.groups ?? []).map(({ name, hosts }) => [name, hosts])), rules: all(policy?.rules ?? []), tests: all(policy?.tests ?? []) };
}

/** What the policy should say after an edit. */
function meant(before: Said, edit: PolicyEdit): Said {
  const after = structuredClone(before);
  if (edit.kind === "group") {
    delete after.groups[edit.name];
    const old = Object.keys(before.groups);
    const names = edit.hosts.length === 0 ? old.filter((name) => name !== edit.name) : old.includes(edit.name) ? old : [...old, edit.name];
    after.groups = Object.fromEntries(names.map((name) => [name, name === edit.name ? edit.hosts : (before.groups[name] ?? [])]));
    return after;
  }
  const list = after[edit.list];
  switch (edit.kind) {
    case "add":
      list.push(ordered(edit.list, edit.values));
      break;
    case "remove":
      list.splice(edit.at, 1);
      break;
    case "move":
      list.splice(edit.at + edit.by, 0, ...list.splice(edit.at, 1));
      break;
    case "set":
      list[edit.at] = ordered(edit.list, { ...list[edit.at], [edit.key]: edit.values });
  }
  return after;
}

function ordered(list: ListName, values: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries([...KEYS[list], OTHERS].map((key): [string, string[]] => [key, values[key] ?? []]).filter(([, all]) => all.length > 0));
}

/**
 * The source of everything in a manifest except the groups, rules and tests of its policy. The source is compared, and not
 * the meaning: aliases and merge keys outside of the policy need not be resolved for that, and cannot fail.
 */
function rest(text: string, { root, policy }: Read): string {
  return JSON.stringify([sourcesOf(text, root, ["policy"]), policy === null ? [] : sourcesOf(text, policy, ["groups", "rules", "tests"])]);
}

/** The source of each key of a map with its value, except these keys. */
function sourcesOf(text: string, map: YAMLMap<Node, Node | null>, except: readonly string[]): string[] {
  const others = map.items.filter((pair) => !isScalar(pair.key) || !except.includes(String(pair.key.value)));
  return others.map((pair) => text.slice(startOf(pair.key), pair.value === null ? endOf(pair.key) : blockEnd(text, pair.value)));
}

type Comment = { at: number; text: string };

/** The marks of the lexer. They are not in the text. After the last one, the next token is a plain or block scalar. */
const MARKS = ["\u0002", "\u0018", "\u001f"];

function commentsOf(text: string): Comment[] {
  const found: Comment[] = [];
  let at = 0;
  let mark = "";
  for (const token of new Lexer().lex(text)) {
    if (MARKS.includes(token)) {
      mark = token;
      continue;
    }
    if (mark !== MARKS[2] && token.startsWith("#")) {
      found.push({ at, text: token.trimEnd() });
    }
    mark = "";
    at += token.length;
  }
  return found;
}

/** Comments as one value that can be compared. Their order does not count, because a rule that is moved takes its own. */
function listOf(comments: readonly Comment[]): string {
  return JSON.stringify(comments.map((comment) => comment.text).sort());
}

type Lines = { from: number; to: number };

/**
 * The lines of what an edit removes, whose comments go with it; null if it removes nothing, or if what it removes shares
 * its lines with other things.
 */
function ownLines(text: string, { policy }: Pick<Read, "policy">, edit: PolicyEdit): Lines | null {
  if (edit.kind === "group") {
    const groups = policy === null ? null : (valueOf(policy, "groups") as Read["policy"]);
    const pair = groups === null || groups.flow ? null : pairOf(groups, edit.name);
    return pair === null || edit.hosts.length > 0 ? null : withAbove(text, linesOf(text, startOf(pair.key), pairEnd(text, pair)));
  }
  const seq = policy === null ? null : (valueOf(policy, edit.list) as YAMLSeq<YAMLMap<Node, Node | null>> | null);
  const item = edit.kind === "add" ? undefined : seq?.items[edit.at];
  if (edit.kind === "remove") {
    return item === undefined || seq?.flow ? null : withAbove(text, rangeOf(text, item));
  }
  if (edit.kind === "set" && edit.values.length === 0) {
    const pair = item === undefined || item.flow ? null : pairOf(item, edit.key);
    const end = pair === null ? 0 : pairEnd(text, pair);
    // A value of several lines has comments on its parts, and these are not removed unseen.
    return pair === null || text.slice(startOf(pair.key), end).includes("\n") ? null : { from: end, to: lineEnd(text, end) };
  }
  return null;
}

/** Lines together with the comments right above them. */
function withAbove(text: string, { from, to }: Lines): Lines {
  for (;;) {
    const above = text.lastIndexOf("\n", from - 2) + 1;
    if (from === 0 || !text.slice(above, from).trimStart().startsWith("#")) {
      return { from, to };
    }
    from = above;
  }
}

/** The whole lines from one place to another, with the line break behind them. */
function linesOf(text: string, from: number, to: number): Lines {
  return { from: from - columnOf(text, from), to: Math.min(text.length, lineEnd(text, to) + breakOf(text).length) };
}

function spliced(text: string, { root, policy }: Read, edit: PolicyEdit): string | null {
  if (edit.kind === "group") {
    const groups = policy === null ? null : (valueOf(policy, "groups") as Read["policy"]);
    const old = groups === null ? null : pairOf(groups, edit.name);
    if (edit.hosts.length === 0) {
      const own = ownLines(text, { policy }, edit);
      return old === null || groups === null ? text : groups.items.length === 1 && policy !== null ? withoutPair(text, policy, "groups", root) : own === null ? withoutPair(text, groups, edit.name, null) : put(text, own.from, own.to, "");
    }
    const hosts = flowList(edit.hosts);
    return old !== null && groups !== null ? withPair(text, groups, edit.name, hosts) : groups !== null ? withPair(text, groups, edit.name, hosts) : withPart(text, root, policy, "groups", [`${edit.name}: ${hosts}`], `{${edit.name}: ${hosts}}`);
  }
  const items = itemsOf(policy, edit.list) ?? [];
  const seq = policy === null ? null : (valueOf(policy, edit.list) as YAMLSeq<Node> | null);
  if (edit.kind === "add") {
    const item = flowItem(edit.list, edit.values);
    return seq === null || items.length === 0 ? withPart(text, root, policy, edit.list, [`- ${item}`], `[${item}]`) : withItem(text, seq, item);
  }
  const item = items[edit.at];
  if (item === undefined || seq === null || policy === null) {
    return null;
  }
  switch (edit.kind) {
    case "set": {
      const value = WORDS.includes(edit.key) ? (edit.values[0] ?? "") : edit.values.length === 1 && edit.key !== "ports" ? scalar(edit.values[0] ?? "") : flowList(edit.values);
      return edit.values.length === 0 ? withoutPair(text, item, edit.key, null) : withPair(text, item, edit.key, value);
    }
    case "remove": {
      const own = ownLines(text, { policy }, edit);
      return items.length === 1 ? withoutPair(text, policy, edit.list, root) : own === null ? withoutFlowItem(text, seq, edit.at) : put(text, own.from, own.to, "");
    }
    case "move": {
      const to = edit.at + edit.by;
      return to < 0 || to >= items.length ? text : exchanged(text, seq, Math.min(edit.at, to));
    }
  }
}

/** A word as YAML. Ports, addresses and patterns get double quotes; numbers and names need none. */
function scalar(word: string): string {
  return /^[a-z_][a-z0-9_.-]*$/i.test(word) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(word) ? word : /^[1-9]\d*$/.test(word) ? word : JSON.stringify(word);
}

function flowList(words: readonly string[]): string {
  return `[${words.map(scalar).join(", ")}]`;
}

function flowItem(list: ListName, values: Record<string, string[]>): string {
  const parts = Object.entries(ordered(list, values)).map(([key, words]) => `${key}: ${words.length === 1 && key !== "ports" ? scalar(words[0] ?? "") : flowList(words)}`);
  return `{${parts.join(", ")}}`;
}

const startOf = (node: Node) => node.range?.[0] ?? 0;
const endOf = (node: Node) => node.range?.[1] ?? 0;
const put = (text: string, from: number, to: number, insert: string) => text.slice(0, from) + insert + text.slice(to);
const columnOf = (text: string, at: number) => at - (text.lastIndexOf("\n", at - 1) + 1);
const breakOf = (text: string) => (text.includes("\r\n") ? "\r\n" : "\n");
/** The offset behind the line of an offset, without its line break. */
function lineEnd(text: string, at: number): number {
  const next = text.indexOf("\n", at);
  return next < 0 ? text.length : text[next - 1] === "\r" ? next - 1 : next;
}

/** The end of a block value: behind its last character that is no blank, in its last line. */
function blockEnd(text: string, node: Node): number {
  return startOf(node) + text.slice(startOf(node), endOf(node)).trimEnd().length;
}

/** The end of a key with its value, in its last line. */
function pairEnd(text: string, pair: Pair<Node, Node | null>): number {
  return pair.value === null ? text.indexOf(":", endOf(pair.key)) + 1 : blockEnd(text, pair.value);
}

/** Gives a key of a map a value. */
function withPair(text: string, map: YAMLMap<Node, Node | null>, key: string, value: string): string | null {
  const pair = pairOf(map, key);
  if (pair !== null) {
    return put(text, text.indexOf(":", endOf(pair.key)) + 1, pairEnd(text, pair), ` ${value}`);
  }
  const last = map.items.at(-1);
  if (last === undefined) {
    return null;
  }
  const end = pairEnd(text, last);
  const at = map.flow ? end : lineEnd(text, end);
  return put(text, at, at, map.flow ? `, ${key}: ${value}` : `${breakOf(text)}${" ".repeat(columnOf(text, startOf(last.key)))}${key}: ${value}`);
}

/** Removes a key of a map. If it was the only one, removes the whole map from `around`, where it is the policy. */
function withoutPair(text: string, map: YAMLMap<Node, Node | null>, key: string, around: YAMLMap<Node, Node | null> | null): string | null {
  if (map.items.length === 1 && around !== null) {
    return withoutPair(text, around, "policy", null);
  }
  const at = map.items.findIndex((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  const pair = map.items[at];
  if (pair === undefined || map.items.length === 1) {
    return pair === undefined ? text : null;
  }
  if (map.flow) {
    const next = map.items[at + 1];
    const before = text.lastIndexOf(",", startOf(pair.key));
    return next === undefined ? put(text, before, pairEnd(text, pair), "") : put(text, startOf(pair.key), startOf(next.key), "");
  }
  const begin = startOf(pair.key);
  const isFirstInItem = text.slice(begin - columnOf(text, begin), begin).trim() !== "";
  const next = map.items[at + 1];
  if (isFirstInItem) {
    // The dash of the item stands before the key, so the next key takes its place.
    return next === undefined ? null : put(text, begin, startOf(next.key), "");
  }
  const { from, to } = linesOf(text, begin, pairEnd(text, pair));
  return put(text, from, to, "");
}

/** Adds an item at the end of a list that has some. */
function withItem(text: string, seq: YAMLSeq<Node>, item: string): string | null {
  const last = seq.items.at(-1);
  if (last === undefined) {
    return null;
  }
  const end = blockEnd(text, last);
  if (seq.flow) {
    return put(text, end, end, `, ${item}`);
  }
  const dash = text.lastIndexOf("-", startOf(last) - 1);
  const at = lineEnd(text, end);
  return put(text, at, at, `${breakOf(text)}${" ".repeat(columnOf(text, dash))}- ${item}`);
}

/** Removes an item of a list in flow style that has several. */
function withoutFlowItem(text: string, seq: YAMLSeq<Node>, at: number): string | null {
  const [item, next] = [seq.items[at], seq.items[at + 1]];
  if (item === undefined || !seq.flow) {
    return null;
  }
  return next === undefined ? put(text, text.lastIndexOf(",", startOf(item)), endOf(item), "") : put(text, startOf(item), startOf(next), "");
}

/** The lines of an item of a block list, from the dash to the line break behind the item. */
function rangeOf(text: string, item: Node): Lines {
  return linesOf(text, text.lastIndexOf("-", startOf(item) - 1), blockEnd(text, item));
}

/** Exchanges an item with the next one. The comments right above each of them go with it. */
function exchanged(text: string, seq: YAMLSeq<Node>, at: number): string | null {
  const [first, second] = [seq.items[at], seq.items[at + 1]];
  if (first === undefined || second === undefined) {
    return null;
  }
  if (seq.flow) {
    const [a, b] = [text.slice(startOf(first), endOf(first)), text.slice(startOf(second), endOf(second))];
    return put(put(text, startOf(second), endOf(second), a), startOf(first), endOf(first), b);
  }
  const [one, two] = [rangeOf(text, first), rangeOf(text, second)];
  const begin = withAbove(text, one).from;
  // The text must end with a line break, or the two items would become one line.
  const [upper, lower] = [text.slice(begin, one.to), text.slice(one.to, two.to)];
  const ended = (lines: string) => (lines.endsWith("\n") ? lines : `${lines}${breakOf(text)}`);
  const joined = ended(lower) + upper;
  return put(text, begin, two.to, lower.endsWith("\n") ? joined : joined.slice(0, -breakOf(text).length));
}

/** Adds a list or a map to the policy, or the policy to the manifest. `lines` and `flow` are two forms of its content. */
function withPart(text: string, root: YAMLMap<Node, Node | null>, policy: YAMLMap<Node, Node | null> | null, key: string, lines: readonly string[], flow: string): string | null {
  const end = breakOf(text);
  if (policy === null) {
    const isWritten = pairOf(root, "policy") !== null;
    const gap = text === "" || text.endsWith("\n") ? "" : end;
    return isWritten || root.flow ? null : `${text}${gap}policy:${end}  ${key}:${end}${lines.map((line) => `    ${line}${end}`).join("")}`;
  }
  const old = pairOf(policy, key);
  if (old !== null || policy.flow) {
    return withPair(text, policy, key, flow);
  }
  const last = policy.items.at(-1);
  if (last === undefined) {
    return null;
  }
  const indent = " ".repeat(columnOf(text, startOf(last.key)));
  const at = lineEnd(text, pairEnd(text, last));
  return put(text, at, at, `${end}${indent}${key}:${lines.map((line) => `${end}${indent}  ${line}`).join("")}`);
}
