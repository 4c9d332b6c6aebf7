// What the browser remembers between visits. Storage can be forbidden: then the page works and remembers nothing.

import { BASE } from "./base.js";

export function load(key) {
  try {
    return localStorage.getItem(BASE + key);
  } catch {
    return null;
  }
}

/** Remembers the text, or forgets the key when `value` is null. */
export function save(key, value) {
  try {
    if (value === null) localStorage.removeItem(BASE + key);
    else localStorage.setItem(BASE + key, value);
  } catch {
    // Nothing to do: the page asks again.
  }
}
