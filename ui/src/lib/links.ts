// Finds the addresses in the texts of a host about its trouble. The app's program has the same rule (`urls.rs`), and
// opens no other addresses.

export type Piece = { text: string; url: boolean };

const FOUND = /https?:\/\/[!#-&(-;=?-[\]_a-z~]*/g;
const AFTER = /[.,;:!?)\]]+$/;

/** Splits the text into pieces. Some of them are addresses. */
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

/** Whether the address has no user before the machine. A reader could take the user for the machine. */
function isPlain(url: string): boolean {
  if (!URL.canParse(url)) {
    return false;
  }
  const { username, password } = new URL(url);
  return username === "" && password === "";
}
