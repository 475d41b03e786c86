// A reason has two parts. The manager writes the cause first, and the remedy behind a semicolon or as a sentence of its own.
// Words of other programs stand between double quotes, and may have semicolons of their own.

/** The cause (`what`) and the remedy (`fix`), which is empty if none is known. */
export function parted(reason: string): { what: string; fix: string } {
  const plain = withoutQuotes(reason);
  const sentence = /[.!?]\s+(?=["A-Z])/.exec(plain);
  const first = sentence === null ? plain : plain.slice(0, sentence.index);
  const semicolon = first.lastIndexOf("; ");
  const tail = reason.slice(semicolon + 2);
  // The output of a command belongs to the cause.
  if (semicolon >= 0 && !tail.startsWith('it wrote "')) {
    return { what: reason.slice(0, semicolon), fix: tail };
  }
  if (sentence !== null) {
    return { what: reason.slice(0, sentence.index + 1), fix: reason.slice(sentence.index + sentence[0].length) };
  }
  return { what: reason, fix: "" };
}

/** The text with the words between double quotes replaced, of the same length. A quote without an end does not count. */
function withoutQuotes(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => `"${"_".repeat(quoted.length - 2)}"`);
}
