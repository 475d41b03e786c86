// A filter is a line such as `host:web1 port:443 -state:closed`. It only hides rows, and has no effect on flows.
import { portOf, type Row, ruleOf, stateOf } from "./flow";

export const FIELDS = ["host", "from", "to", "port", "state", "rule", "via"] as const;
export type Field = (typeof FIELDS)[number];

/** One word of a filter. A term without a field searches everything that the table shows of a flow. */
export type Term = { field: Field | null; not: boolean; wanted: string[] };

export type Filter = {
  terms: Term[];
  /** Words that look like a term but cannot be understood. They do not hide any rows. */
  odd: string[];
};

/** The states of flows, and the outcomes of those that have ended. */
const STATES = ["opening", "open", "closing", "closed", "resetbyfrom", "resetbyto", "refused", "timedout", "denied", "unavailable", "lost", "killed"];

/** Parses a filter. Spaces separate terms. A comma inside a term means "or". Quotes keep spaces together. */
export function parseFilter(text: string): Filter {
  const filter: Filter = { terms: [], odd: [] };
  for (const word of words(text)) {
    const not = word.startsWith("-") && word.length > 1;
    const rest = not ? word.slice(1) : word;
    const colon = rest.indexOf(":");
    const name = rest.slice(0, Math.max(colon, 0)).toLowerCase();
    const field = FIELDS.find((known) => known === name) ?? null;
    // A name such as `web1:8080` contains a colon, too. Therefore a word has a field only if the text before its colon
    // is a known field.
    const value = field === null ? rest : rest.slice(colon + 1);
    const wanted = (field === null ? [value] : value.split(","))
      .map((one) => one.trim().toLowerCase())
      .filter((one) => one !== "" && one !== "-");
    // A term that is still being typed must not empty the table.
    if (wanted.length === 0) {
      continue;
    }
    if (wanted.every((one) => understood(field, one))) {
      filter.terms.push({ field, not, wanted });
    } else {
      filter.odd.push(word);
    }
  }
  return filter;
}

/** Whether a filter shows a row. It does if the row fulfils all terms. */
export function passes(filter: Filter, row: Row): boolean {
  return filter.terms.every((term) => term.wanted.some((one) => holds(term.field, one, row)) !== term.not);
}

/** Adds a term to a filter, or removes the term if the filter already has it. */
export function toggleTerm(text: string, term: string): string {
  const all = words(text).map(quoted);
  const without = all.filter((one) => one !== term);
  return (without.length < all.length ? without : [...all, term]).join(" ");
}

/** Whether a filter has a term, which is given with its quotes. */
export function hasTerm(text: string, term: string): boolean {
  return words(text).map(quoted).includes(term);
}

/** Makes a term, with quotes if it contains spaces. */
export function term(field: Field | null, value: string, not = false): string {
  return quoted(`${not ? "-" : ""}${field === null ? "" : `${field}:`}${value}`);
}

function quoted(word: string): string {
  return /\s/.test(word) ? `"${word}"` : word;
}

function words(text: string): string[] {
  const found = text.matchAll(/(?:"[^"]*"?|[^\s"])+/g);
  return Array.from(found, ([word]) => word.replaceAll('"', "")).filter((word) => word !== "");
}

function understood(field: Field | null, value: string): boolean {
  if (field === "port") {
    return portRange(value) !== null;
  }
  if (field === "state") {
    return STATES.some((state) => state.startsWith(value));
  }
  return true;
}

function portRange(value: string): [number, number] | null {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value);
  if (found === null) {
    return null;
  }
  const first = Number(found[1]);
  return [first, found[2] === undefined ? first : Number(found[2])];
}

function holds(field: Field | null, wanted: string, row: Row): boolean {
  const { flow } = row;
  switch (field) {
    case "host":
      return has(flow.from, wanted) || has(flow.to, wanted);
    case "from":
      return has(flow.from, wanted);
    case "to":
      return has(flow.to, wanted) || has(flow.name, wanted);
    case "rule":
      return has(ruleOf(flow), wanted);
    case "via":
      return has(flow.via ?? "", wanted);
    case "state": {
      const state = toldState(row);
      return STATES.includes(wanted) ? state === wanted : state.startsWith(wanted);
    }
    case "port": {
      const range = portRange(wanted);
      if (range === null) {
        return false;
      }
      return [flow.src, flow.dst].some((end) => {
        const port = portOf(end);
        return port >= range[0] && port <= range[1];
      });
    }
    case null:
      return [flow.from, flow.to, flow.name, flow.src, flow.dst, flow.via ?? "", ruleOf(flow), toldState(row)].some((text) =>
        has(text, wanted),
      );
  }
}

/** The state of a flow, or its outcome, as a filter names it. */
function toldState(row: Row): string {
  return (row.outcome ?? stateOf(row)).toLowerCase();
}

function has(text: string, wanted: string): boolean {
  return text.toLowerCase().includes(wanted);
}
