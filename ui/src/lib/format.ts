// Numbers are written as people read them. Their widths are kept steady, so that columns do not dance.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** `0 B`, `812 B`, `1.4 kB`, `23 MB`: decimal units, at most three digits. */
export function bytes(count: number): string {
  let value = Math.max(0, count);
  let unit = 0;
  while (unit < UNITS.length - 1 && value >= 999.5) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)}\u00a0${UNITS[unit]}`;
}

export function rate(perSecond: number): string {
  return `${bytes(perSecond)}/s`;
}

/** A latency: `85 µs`, `1.2 ms`, `240 ms`, `1.5 s`. */
export function micros(us: number): string {
  if (us < 1000) {
    return `${Math.round(us)}\u00a0µs`;
  }
  const ms = us / 1000;
  if (ms < 999.5) {
    return `${ms.toFixed(ms < 9.95 ? 1 : 0)}\u00a0ms`;
  }
  return `${(ms / 1000).toFixed(1)}\u00a0s`;
}

/** A time span with its two largest parts: `now`, `8 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
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

/** The rest of a countdown in whole seconds, rounded up so that it ends with 1 and then 0. */
export function countdown(ms: number): string {
  const seconds = Math.ceil(Math.max(0, ms) / 1000);
  return seconds < 60 ? `${seconds}\u00a0s` : span(seconds * 1000);
}

const number = new Intl.NumberFormat("en");

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return number.format(value);
}

/** The time of day of a moment since 1970, with milliseconds where asked. */
export function clock(timeMs: number, millis = false): string {
  const at = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return millis ? `${day}.${String(at.getMilliseconds()).padStart(3, "0")}` : day;
}

/** The name of the file at the end of a path, with the separators of Unix or of Windows. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

/** The folder that a path is in, for a second line under its name. */
export function folder(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end <= 0 ? path.slice(0, 1) : path.slice(0, end);
}

/** A command as one line that a POSIX shell would split into the same words again. */
export function shellLine(argv: string[]): string {
  return argv.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
