// Finds the addresses in what a host says about its trouble, by the same rule as the app's program (`urls.rs`), which opens no
// others.

export type Piece = { text: string; url: boolean };

const FOUND = /https?:\/\/[!#-&(-;=?-[\]_a-z~]*/g;
const AFTER = /[.,;:!?)\]]+$/;

/** The text in pieces, of which some are addresses. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(FOUND)) {
    const url = match[0].replace(AFTER, "");
    if (!isPlain(url)) {
      continue;
    }
    if (match.index > end) {
      found.push({ text: text.slice(end, match.index), url: false });
    }
    found.push({ text: url, url: true });
    end = match.index + url.length;
  }
  if (end < text.length) {
    found.push({ text: text.slice(end), url: false });
  }
  return found;
}

/** Whether the address has a machine, and no user before it, whom a reader could mistake for the machine. */
function isPlain(url: string): boolean {
  if (!URL.canParse(url)) {
    return false;
  }
  const { username, password } = new URL(url);
  return username === "" && password === "";
}
