// The list: pages of entries, newest first, each entry once.
//
// Older pages follow the server's cursor. New entries come from the stream, which starts after the newest entry shown. So
// no entry is requested twice, and the list need not look for duplicates.

import { fetchPage } from "./api.js";
import { byId } from "./dom.js";
import { closeRowOf, entryRow, redrawTimes, refreshTimes } from "./row.js";

const PAGE = 100;
/** Beyond this number of rows, the list drops the rows farthest from the reader, down to `KEPT_ROWS`. */
const MAX_ROWS = 4000;
const KEPT_ROWS = 2000;
const LOADING = "Loading…";
const NO_OLDER = "No older entries.";

export class EntryList {
  #rows = byId("rows");
  #foot = byId("foot-text");
  #older = byId("older");
  #hooks;
  #filters = null;
  #request = new AbortController();
  #loading = false;
  #next = null;
  #hasDroppedNewest = false;
  #observer = null;

  /** `hooks`: onFirstPage(entries), onError(error), and those of a row. */
  constructor(hooks) {
    this.#hooks = hooks;
    this.#older.addEventListener("click", () => this.#loadOlder());
    this.#rows.addEventListener("keydown", (event) => this.#onKey(event));
    setInterval(() => refreshTimes(this.#rows), 15_000);
    addEventListener("viewchange", () => redrawTimes(this.#rows));
    // Load before the end comes into view, so that the reader does not have to wait.
    this.#observer = new IntersectionObserver((seen) => this.#onEndSeen(seen), { rootMargin: "0px 0px 900px" });
  }

  /** Shows the newest entries that match the filters. Running requests are aborted. */
  async reload(filters) {
    this.#request.abort();
    const request = new AbortController();
    this.#request = request;
    this.#filters = filters;
    this.#next = null;
    this.#loading = true;
    this.#observer.disconnect();
    this.#older.hidden = true;
    this.#rows.setAttribute("aria-busy", "true");
    this.#foot.textContent = this.#rows.childElementCount === 0 ? LOADING : "";
    try {
      const page = await fetchPage(filters, null, PAGE, request.signal);
      if (request.signal.aborted) return;
      this.#rows.replaceChildren();
      this.#hasDroppedNewest = false;
      this.#append(page);
      this.#hooks.onFirstPage(page.entries);
    } catch (error) {
      if (request.signal.aborted) return;
      this.clear();
      this.#hooks.onError(error);
    } finally {
      if (!request.signal.aborted) {
        this.#loading = false;
        this.#rows.removeAttribute("aria-busy");
      }
    }
  }

  /** Removes all rows and aborts running requests. */
  clear() {
    this.#request.abort();
    this.#observer.disconnect();
    this.#next = null;
    this.#rows.replaceChildren();
    this.#rows.removeAttribute("aria-busy");
    this.#older.hidden = true;
    this.#foot.textContent = "";
  }

  /** Inserts new entries, given oldest first, above the present ones. */
  prepend(entries) {
    const fresh = document.createDocumentFragment();
    for (const entry of entries) {
      const item = entryRow(entry, this.#hooks);
      item.classList.add("fresh");
      fresh.prepend(item);
    }
    this.#rows.prepend(fresh);
    if (this.#rows.childElementCount > MAX_ROWS) this.#dropOldest();
    else if (this.#next === null) this.#foot.textContent = NO_OLDER;
  }

  /** Whether the newest rows were dropped while older ones were loaded. Only a reload brings them back. */
  get hasDroppedNewest() {
    return this.#hasDroppedNewest;
  }

  get isEmpty() {
    return this.#rows.childElementCount === 0;
  }

  get hasOpenRow() {
    return this.#rows.querySelector(".entry.open") !== null;
  }

  focusFirst() {
    this.#rows.querySelector(".row")?.focus({ preventScroll: true });
  }

  #append(page) {
    const older = document.createDocumentFragment();
    for (const entry of page.entries) older.append(entryRow(entry, this.#hooks));
    this.#rows.append(older);
    this.#next = page.next_before_seq;
    this.#older.replaceChildren("Load older");
    this.#older.hidden = this.#next === null;
    this.#foot.textContent = this.#next === null && !this.isEmpty ? NO_OLDER : "";
    this.#watchEnd();
  }

  #watchEnd() {
    // Observe again each time: an observer does not report an end that stays in view.
    this.#observer.disconnect();
    if (this.#next !== null) this.#observer.observe(this.#older);
  }

  #onEndSeen(seen) {
    if (seen.some((entry) => entry.isIntersecting)) this.#loadOlder();
  }

  async #loadOlder() {
    if (this.#loading || this.#next === null) return;
    const { signal } = this.#request;
    const byKeyboard = document.activeElement === this.#older;
    const last = this.#rows.lastElementChild;
    const before = this.#next;
    this.#loading = true;
    this.#foot.textContent = LOADING;
    try {
      const page = await fetchPage(this.#filters, before, PAGE, signal);
      if (signal.aborted) return;
      if (this.#next !== before) {
        // The oldest rows were dropped meanwhile, so this page no longer follows the last row.
        this.#foot.textContent = "";
        return;
      }
      this.#append(page);
      // The button has moved below the new rows, so the focus continues at the first of them.
      if (byKeyboard) last?.nextElementSibling?.querySelector(".row")?.focus();
      if (this.#rows.childElementCount > MAX_ROWS) this.#dropNewest();
    } catch (error) {
      if (signal.aborted) return;
      this.#showProblem(error);
    } finally {
      if (!signal.aborted) this.#loading = false;
    }
  }

  #showProblem(error) {
    if (error.status === 401) {
      this.#hooks.onError(error);
      return;
    }
    // The observer stays off: it would retry at once, again and again.
    this.#observer.disconnect();
    this.#foot.textContent = `The older entries could not be loaded. ${error.message}`;
    this.#older.replaceChildren("Try again");
    this.#older.hidden = false;
  }

  #dropOldest() {
    while (this.#rows.childElementCount > KEPT_ROWS) this.#rows.lastElementChild.remove();
    this.#next = Number(this.#rows.lastElementChild.dataset.seq);
    this.#older.hidden = false;
    this.#foot.textContent = "";
    this.#watchEnd();
  }

  #dropNewest() {
    const stays = this.#rows.children[this.#rows.childElementCount - KEPT_ROWS];
    const before = stays.getBoundingClientRect().top;
    while (this.#rows.firstElementChild !== stays) this.#rows.firstElementChild.remove();
    // Keep the visible rows in place. The list turns off scroll anchoring, which not every browser supports.
    scrollBy(0, stays.getBoundingClientRect().top - before);
    this.#hasDroppedNewest = true;
  }

  #onKey(event) {
    const item = event.target.closest(".entry");
    if (event.key === "Escape") {
      closeRowOf(event.target);
    } else if (item && event.target.matches(".row") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const other = event.key === "ArrowDown" ? item.nextElementSibling : item.previousElementSibling;
      if (!other) return;
      event.preventDefault();
      other.querySelector(".row").focus();
    }
  }
}
