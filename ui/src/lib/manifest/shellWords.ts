// Splits a command that is written as one text into words, as the manifest does: like a POSIX shell, but without
// replacing anything. `shellLine` joins words into one text.

/** The words of a command; null if a quote in it is never closed. */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (/\s/.test(char)) {
      if (word !== null) {
        words.push(word);
      }
      word = null;
      continue;
    }
    word ??= "";
    if (char === "\\") {
      at += 1;
      if (at >= text.length) {
        return null;
      }
      word += text[at];
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) {
        return null;
      }
      word += text.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      for (at += 1; text[at] !== '"'; at += 1) {
        if (text[at] === "\\" && /["\\$`]/.test(text[at + 1] ?? "")) {
          at += 1;
        }
        if (at >= text.length) {
          return null;
        }
        word += text[at];
      }
    } else {
      word += char;
    }
  }
  return word === null ? words : [...words, word];
}
