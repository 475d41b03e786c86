// New hosts: the names that are free for them, and the edits that add them.
import type { EditRequest } from "../types/EditRequest";
import type { ImportOffer } from "../types/ImportOffer";

/** Returns the wanted name. If that name is taken, in upper or lower case, a number is added to it. */
export function freeName(wanted: string, taken: Iterable<string>): string {
  const all = new Set(Array.from(taken, (name) => name.toLowerCase()));
  let name = wanted;
  for (let number = 2; all.has(name.toLowerCase()); number += 1) {
    name = `${wanted}-${number}`;
  }
  return name;
}

/** The edits that add a host for each offer, under names that are free. Offers that cannot become hosts are left out. */
export function addOffers(offers: readonly ImportOffer[], taken: Iterable<string>): { names: string[]; edits: EditRequest[] } {
  const all = Array.from(taken);
  const names: string[] = [];
  const edits: EditRequest[] = [];
  for (const offer of offers) {
    if (offer.unusable === null) {
      const name = freeName(offer.host, all);
      all.push(name);
      names.push(name);
      edits.push({ kind: "addHost", name, fields: offer.fields });
    }
  }
  return { names, edits };
}
