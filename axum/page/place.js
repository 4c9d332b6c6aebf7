// The reader's place in the log. The browser's history keeps it, so that Back and a reload lead there.

import { isAtTop } from "./scroll.js";

const SAVE_MS = 250;
const MAX_OPEN = 10;
const SETTLING_FRAMES = 20;

/** Saves the place in the present entry of the history, as the reader scrolls and opens rows. */
export function keepPlace(rows) {
  let saving = null;
  const soon = () => {
    clearTimeout(saving);
    saving = setTimeout(() => savePlace(rows), SAVE_MS);
  };
  addEventListener("scroll", soon, { passive: true });
  rows.root.addEventListener("entrytoggle", soon);
  addEventListener("pagehide", () => savePlace(rows));
}

export function savePlace(rows) {
  // While entries are loaded, the place is still that of the ones before.
  if (rows.isEmpty || rows.root.hasAttribute("aria-busy")) return;
  history.replaceState({ ...history.state, place: placeIn(rows) }, "");
}

/** The place that the present entry of the history holds, or null. */
export function savedPlace() {
  return history.state?.place ?? null;
}

/** Shows the rows as they were seen at the place, with the same rows open. */
export function goTo(rows, { seq, top, open }) {
  for (const opened of open) {
    rows.root.querySelector(`.entry[data-seq="${opened}"] .row[aria-expanded="false"]`)?.click();
  }
  const item = rows.find(seq) ?? rows.root.lastElementChild;
  if (item === null) return;
  // The browser knows the heights of rows only once it has shown them, so their place is found step by step.
  const scroll = (frames) => {
    scrollBy(0, item.getBoundingClientRect().top - top);
    const found = scrollY;
    requestAnimationFrame(() => frames > 0 && scrollY === found && scroll(frames - 1));
  };
  scroll(SETTLING_FRAMES);
}

/** The first row in view and where it stands; null at the top with no row open, where new entries may appear. */
function placeIn(rows) {
  const items = [...rows.root.children];
  const open = items.filter((item) => item.classList.contains("open")).slice(0, MAX_OPEN);
  if (isAtTop() && open.length === 0) return null;
  let [from, to] = [0, items.length - 1];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (items[middle].getBoundingClientRect().bottom > 0) to = middle;
    else from = middle + 1;
  }
  const seqOf = (item) => Number(item.dataset.seq);
  return { seq: seqOf(items[from]), top: items[from].getBoundingClientRect().top, open: open.map(seqOf) };
}
