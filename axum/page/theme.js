// Before anything is drawn: otherwise, the page would begin in the colours of the system and then change.

try {
  document.documentElement.dataset.theme = JSON.parse(localStorage.getItem("view")).theme;
} catch {
  // The reader has chosen nothing, or the browser remembers nothing.
}
