// What the browser remembers between visits. Storage can be forbidden: then the page works and remembers nothing.

export function load(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers the text, or forgets the key when `value` is null. */
export function save(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Nothing to do: the page asks again.
  }
}
