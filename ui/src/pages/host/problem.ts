// A problem in two parts: what is wrong, and what to do. The manager writes them as sentences, the cause first.

/** Everything up to the end of the first sentence, and the rest. A dot inside an address ends no sentence. */
export function parted(problem: string): { what: string; fix: string } {
  const end = /[.!?]\s+(?=[A-Z])/.exec(problem);
  if (end === null) {
    return { what: problem, fix: "" };
  }
  return { what: problem.slice(0, end.index + 1), fix: problem.slice(end.index + end[0].length) };
}
