// The part of the page's address that names one entry: `#entry-al_0198…` by its id, which it keeps when the log is
// restored, or `#entry-5` by its sequence.

import { entryUrl } from "./api.js";

/** The part of the address for the entry. */
export function hashOf({ id, seq }) {
  // Digits alone are a sequence.
  return `#entry-${entryUrl(id) === null || /^\d+$/.test(id) ? seq : encodeURIComponent(id)}`;
}

/** The `{ id }` or `{ seq }` that the part of the address names, or null. */
export function entryIn(hash) {
  const [, name] = /^#entry-(.+)$/.exec(hash) ?? [];
  if (name === undefined) return null;
  if (/^\d{1,15}$/.test(name)) return { seq: Number(name) };
  try {
    return { id: decodeURIComponent(name) };
  } catch {
    return null;
  }
}
