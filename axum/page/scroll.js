// Where the reader has scrolled to.

/** A position this near to the top counts as the top. */
const TOP_PX = 80;

export function isAtTop() {
  return scrollY <= TOP_PX;
}

/** Makes a change above the list. A reader who has scrolled down keeps seeing the same rows. */
export function keepingRows(change) {
  const list = document.getElementById("entries");
  const before = list.getBoundingClientRect().top;
  change();
  if (!isAtTop()) scrollBy(0, list.getBoundingClientRect().top - before);
}
