// A reason in two parts: what is wrong, and what to do. The manager writes the cause first and the remedy behind a
// semicolon, or as a sentence of its own. What others have said stands between double quotes, and parts nothing.

/** The two parts; `fix` is empty where nothing is known that helps. */
export function parted(reason: string): { what: string; fix: string } {
  const plain = withoutQuotes(reason);
  const sentence = /[.!?]\s+(?=["A-Z])/.exec(plain);
  const first = sentence === null ? plain : plain.slice(0, sentence.index);
  const semicolon = first.lastIndexOf("; ");
  const tail = reason.slice(semicolon + 2);
  // That a command wrote something is a part of the cause, and helps nobody by itself.
  if (semicolon >= 0 && !tail.startsWith('it wrote "')) {
    return { what: reason.slice(0, semicolon), fix: tail };
  }
  if (sentence !== null) {
    return { what: reason.slice(0, sentence.index + 1), fix: reason.slice(sentence.index + sentence[0].length) };
  }
  return { what: reason, fix: "" };
}

/** The text with everything between double quotes made harmless, of the same length. A quote that never ends is none. */
function withoutQuotes(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => `"${"_".repeat(quoted.length - 2)}"`);
}
