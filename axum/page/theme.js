// Before anything is drawn: otherwise, the page would begin in the colours of the system and then change.

try {
  const base = new URL(".", document.currentScript.src).pathname;
  document.documentElement.dataset.theme = JSON.parse(localStorage.getItem(`${base}view`)).theme;
} catch {
  // The reader has chosen nothing, or the browser remembers nothing.
}
