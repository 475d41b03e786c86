// Formats numbers for people, in the same way as `agent/text/figures.rs`. The tests of both use the table
// `golden/words.json`. A line never breaks between a number and its unit.

const BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];
const TIMES = ["\u00b5s", "ms", "s"];

/** `0 B`, `812 B`, `1.4 kB`, `23 MB`. */
export function bytes(count: number): string {
  return scaled(count, BYTES);
}

/**
 * A part of an amount. If both have the same unit, the unit is written only once: `1.2 of 4.1 MB`, `64 kB of 4.1 MB`.
 */
export function part(some: number, all: number): string {
  const [of, whole] = [bytes(some), bytes(all)];
  const [figure, unit] = of.split("\u00a0");
  return `${whole.endsWith(`\u00a0${unit}`) ? figure : of} of ${whole}`;
}

export function rate(perSecond: number): string {
  return `${bytes(perSecond)}/s`;
}

/** A latency: `85 µs`, `1.2 ms`, `240 ms`, `1.5 s`. */
export function micros(us: number): string {
  return scaled(us, TIMES);
}

/**
 * Formats an amount in the largest unit of which there is at least one, rounded down. If the whole part has one digit,
 * a decimal place is added, except in the smallest unit.
 */
function scaled(amount: number, units: readonly string[]): string {
  let tenths = Math.floor(Math.max(0, amount) * 10);
  let unit = 0;
  while (tenths >= 10_000 && unit < units.length - 1) {
    tenths = Math.floor(tenths / 1000);
    unit += 1;
  }
  const whole = Math.floor(tenths / 10);
  const figure = unit > 0 && whole < 10 ? `${whole}.${tenths % 10}` : `${whole}`;
  return `${figure}\u00a0${units[unit]}`;
}

/** A span of time with its two largest parts: `8 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function span(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 60) {
    return `${seconds}\u00a0s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes}\u00a0min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return joined(hours, "h", minutes % 60, "min");
  }
  return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const head = `${large}\u00a0${largeUnit}`;
  return small === 0 ? head : `${head} ${small}\u00a0${smallUnit}`;
}

/** A span of time that may be shorter than a second: `12 ms`, `0 ms`, `8 s`, `3 min`. */
export function shortSpan(ms: number): string {
  return ms < 1000 ? `${Math.max(0, Math.floor(ms))}\u00a0ms` : span(ms);
}

/** The remaining time of a countdown, rounded up to whole seconds so that it ends with 1 and then 0. */
export function countdown(ms: number): string {
  return span(Math.ceil(ms / 1000) * 1000);
}

const number = new Intl.NumberFormat("en");

/** A whole number with separators between the thousands. */
export function count(value: number): string {
  return number.format(value);
}

/**
 * The time of day of a moment, which is given in milliseconds since 1970. With `millis`, the result has milliseconds.
 */
export function clock(timeMs: number, millis = false): string {
  const at = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return millis ? `${day}.${String(at.getMilliseconds()).padStart(3, "0")}` : day;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The day of a moment: `Nov 23`. It has a year if that is not the year of `nowMs`. */
export function day(timeMs: number, nowMs: number): string {
  const at = new Date(timeMs);
  const year = at.getFullYear();
  const told = `${MONTHS[at.getMonth()]}\u00a0${at.getDate()}`;
  return year === new Date(nowMs).getFullYear() ? told : `${told}, ${year}`;
}

/** The time of day of a moment. The day is written before it if that is not the day of `nowMs`. */
export function moment(timeMs: number, nowMs: number): string {
  const isToday = new Date(timeMs).toDateString() === new Date(nowMs).toDateString();
  return isToday ? clock(timeMs) : `${day(timeMs, nowMs)} ${clock(timeMs)}`;
}

/** The name of the file at the end of a path. The separators may be those of Unix or of Windows. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

/** The folder that contains a path. It is for a second line below the name. */
export function folder(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end <= 0 ? path.slice(0, 1) : path.slice(0, end);
}

/** A command as one line. A POSIX shell would split the line into the same words again. */
export function shellLine(argv: string[]): string {
  return argv.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
