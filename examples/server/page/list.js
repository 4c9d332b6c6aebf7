// The list: pages of entries, the newest first, each entry once.
//
// Older pages follow by the server's cursor and new entries by the stream, which starts after the newest one shown; so
// nothing is asked for twice, and nothing has to be searched for doubles.

import { fetchPage } from "./api.js";
import { byId } from "./dom.js";
import { closeRowOf, entryRow, refreshTimes } from "./row.js";

const PAGE = 100;
/** From this many rows on, those farthest from the reader are let go, down to `KEPT`. */
const MOST = 4000;
const KEPT = 2000;
/** What stands below the list. */
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

  /** `hooks`: onFirstPage(entries), onEntries(entries), onError(error), narrow(filters). */
  constructor(hooks) {
    this.#hooks = hooks;
    this.#older.addEventListener("click", () => this.#loadOlder());
    this.#rows.addEventListener("keydown", (event) => this.#onKey(event));
    setInterval(() => refreshTimes(this.#rows), 15_000);
    // Before the end comes into view, so that who scrolls does not wait.
    this.#observer = new IntersectionObserver((seen) => this.#onEndSeen(seen), { rootMargin: "0px 0px 900px" });
  }

  /**
   * Shows the newest entries that pass the filters, or that are older than `beforeSeq`; whatever was under way for others
   * is given up.
   */
  async reload(filters, beforeSeq = null) {
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
      const page = await fetchPage(filters, beforeSeq, PAGE, request.signal);
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

  /** Takes what is shown off the page, and gives up what is under way. */
  clear() {
    this.#request.abort();
    this.#observer.disconnect();
    this.#next = null;
    this.#rows.replaceChildren();
    this.#rows.removeAttribute("aria-busy");
    this.#older.hidden = true;
    this.#foot.textContent = "";
  }

  /** Puts new entries, the oldest first, above those that are there. */
  prepend(entries) {
    const fresh = document.createDocumentFragment();
    for (const entry of entries) {
      const item = entryRow(entry, this.#hooks.narrow);
      item.classList.add("fresh");
      fresh.prepend(item);
    }
    this.#rows.prepend(fresh);
    this.#hooks.onEntries(entries);
    if (this.#rows.childElementCount > MOST) this.#dropOldest();
    else if (this.#next === null) this.#foot.textContent = NO_OLDER;
  }

  /** Whether the newest entries were let go while older ones were loaded: then only a reload brings them back. */
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
    for (const entry of page.entries) older.append(entryRow(entry, this.#hooks.narrow));
    this.#rows.append(older);
    this.#hooks.onEntries(page.entries);
    this.#next = page.next_before_seq;
    this.#older.replaceChildren("Load older");
    this.#older.hidden = this.#next === null;
    this.#foot.textContent = this.#next === null && !this.isEmpty ? NO_OLDER : "";
    this.#watchEnd();
  }

  #watchEnd() {
    // Anew each time: an observer is silent about an end that stays in view.
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
        // Meanwhile the oldest rows were let go: this page no longer follows the last one.
        this.#foot.textContent = "";
        return;
      }
      this.#append(page);
      // The button has moved away below the new rows: go on with the first of these.
      if (byKeyboard) last?.nextElementSibling?.querySelector(".row")?.focus();
      if (this.#rows.childElementCount > MOST) this.#dropNewest();
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
    // The observer stays off: it would ask again at once, and for ever.
    this.#observer.disconnect();
    this.#foot.textContent = `The older entries could not be loaded. ${error.message}`;
    this.#older.replaceChildren("Try again");
    this.#older.hidden = false;
  }

  #dropOldest() {
    while (this.#rows.childElementCount > KEPT) this.#rows.lastElementChild.remove();
    this.#next = Number(this.#rows.lastElementChild.dataset.seq);
    this.#older.hidden = false;
    this.#foot.textContent = "";
    this.#watchEnd();
  }

  #dropNewest() {
    const stays = this.#rows.children[this.#rows.childElementCount - KEPT];
    const before = stays.getBoundingClientRect().top;
    while (this.#rows.firstElementChild !== stays) this.#rows.firstElementChild.remove();
    // What is read stays where it is: the list opts out of the browser's own anchoring, which not all of them have.
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
