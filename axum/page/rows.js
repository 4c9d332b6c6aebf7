// The rows on the page: a stretch of the log, newest first. Beyond some thousands, those farthest from the reader are let go.

import { byId } from "./dom.js";
import { entryRow } from "./row.js";

const MAX_ROWS = 4000;
const KEPT_ROWS = 2000;

export class Rows {
  root = byId("rows");
  #hooks;

  /** `hooks`: those of a row. */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  get isEmpty() {
    return this.root.childElementCount === 0;
  }

  /** The `seq` of the first row, or null. */
  get newestSeq() {
    return this.isEmpty ? null : Number(this.root.firstElementChild.dataset.seq);
  }

  get oldestSeq() {
    return this.isEmpty ? null : Number(this.root.lastElementChild.dataset.seq);
  }

  get hasOpenRow() {
    return this.root.querySelector(".entry.open") !== null;
  }

  focusFirst() {
    this.root.querySelector(".row")?.focus({ preventScroll: true });
  }

  /** The item of the entry, or of the next older one, or null. */
  find(seq) {
    return [...this.root.children].find((item) => Number(item.dataset.seq) <= seq) ?? null;
  }

  has(seq) {
    return Number(this.find(seq)?.dataset.seq) === seq;
  }

  clear() {
    this.root.replaceChildren();
  }

  /** Adds entries, newest first, below the present ones. */
  append(entries) {
    this.root.append(this.#items(entries));
  }

  /** Adds entries, newest first, above the present ones, which stay where the reader sees them. */
  prependInPlace(entries) {
    this.#inPlace(this.root.firstElementChild, () => this.root.prepend(this.#items(entries)));
  }

  /** Adds entries, newest first, above the present ones, and marks them as new. */
  prependFresh(entries) {
    const items = this.#items(entries);
    for (const item of items.children) item.classList.add("fresh");
    this.root.prepend(items);
  }

  /** Whether there were too many rows, so that the oldest were let go. */
  dropOldest() {
    if (this.root.childElementCount <= MAX_ROWS) return false;
    while (this.root.childElementCount > KEPT_ROWS) this.root.lastElementChild.remove();
    return true;
  }

  /** Whether there were too many rows, so that the newest were let go. */
  dropNewest() {
    if (this.root.childElementCount <= MAX_ROWS) return false;
    const stays = this.root.children[this.root.childElementCount - KEPT_ROWS];
    this.#inPlace(stays, () => {
      while (this.root.firstElementChild !== stays) this.root.firstElementChild.remove();
    });
    return true;
  }

  /** The list turns off scroll anchoring, which not every browser supports. */
  #inPlace(row, change) {
    const before = row.getBoundingClientRect().top;
    change();
    scrollBy(0, row.getBoundingClientRect().top - before);
  }

  #items(entries) {
    const items = document.createDocumentFragment();
    for (const entry of entries) items.append(entryRow(entry, this.#hooks));
    return items;
  }
}
