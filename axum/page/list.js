// The list: pages of entries, newest first, each entry once.
//
// Older and newer pages follow the rows on the page. New entries come from the stream, which starts after the newest entry
// that there was. So no entry is requested twice.

import { fetchNewer, fetchPage, fetchStart } from "./api.js";
import { byId } from "./dom.js";
import { goTo } from "./place.js";
import { redrawTimes, refreshTimes } from "./row.js";
import { moveAlongRows } from "./row_keys.js";
import { Rows } from "./rows.js";

const PAGE = 100;
const LOADING = "Loading…";
const NO_OLDER = "No older entries.";
/** An end this near is loaded, so that the reader does not have to wait. */
const NEAR_PX = 900;

export class EntryList {
  rows;
  #foot = byId("foot-text");
  #older = byId("older");
  #hooks;
  #filters = null;
  #request = new AbortController();
  #isLoading = false;
  /** Where the older entries begin, or null. */
  #next = null;
  #hasNewer = false;
  /** Whether the newer entries are loaded when the first row is near: only for a reader who comes back to it. */
  #leadsToNewer = false;
  #observer = new IntersectionObserver((seen) => this.#onEndSeen(seen), { rootMargin: `${NEAR_PX}px 0px` });

  /**
   * `hooks`: onFirstPage(entries, newest seq), onNewer(entries) that were loaded above the first row, onError(error), and
   * those of a row.
   */
  constructor(hooks) {
    this.#hooks = hooks;
    this.rows = new Rows(hooks);
    const { root } = this.rows;
    this.#older.addEventListener("click", () => this.#loadOlder());
    root.addEventListener("keydown", moveAlongRows);
    setInterval(() => refreshTimes(root), 15_000);
    addEventListener("scroll", () => this.#onScroll(), { passive: true });
    for (const type of ["viewchange", "beforeprint", "afterprint"]) addEventListener(type, () => redrawTimes(root));
  }

  /** Shows the newest entries that match the filters, or those around a place. Running requests are aborted. */
  async reload(filters, place = null) {
    this.#request.abort();
    const request = new AbortController();
    this.#request = request;
    this.#filters = filters;
    this.#next = null;
    this.#isLoading = true;
    this.#observer.disconnect();
    this.#older.hidden = true;
    this.rows.root.setAttribute("aria-busy", "true");
    this.#foot.textContent = this.rows.isEmpty ? LOADING : "";
    try {
      const { page, newestSeq, hasNewer } = await fetchStart(filters, place?.seq ?? null, PAGE, request.signal);
      if (request.signal.aborted) return;
      this.rows.clear();
      this.#hasNewer = hasNewer;
      this.#leadsToNewer = hasNewer;
      this.#append(page);
      this.#hooks.onFirstPage(page.entries, newestSeq);
      if (place !== null) goTo(this.rows, place);
    } catch (error) {
      if (request.signal.aborted) return;
      this.clear();
      this.#hooks.onError(error);
    } finally {
      if (!request.signal.aborted) {
        this.#isLoading = false;
        this.rows.root.removeAttribute("aria-busy");
      }
    }
  }

  /** Removes all rows and aborts running requests. */
  clear() {
    this.#request.abort();
    this.#observer.disconnect();
    this.#next = null;
    this.#hasNewer = false;
    this.#leadsToNewer = false;
    this.rows.clear();
    this.rows.root.removeAttribute("aria-busy");
    this.#older.hidden = true;
    this.#foot.textContent = "";
  }

  /** Inserts new entries, given oldest first, above the present ones. */
  prepend(entries) {
    const fresh = entries.filter(({ seq }) => seq > (this.rows.newestSeq ?? 0));
    this.rows.prependFresh(fresh.reverse());
    if (this.#next === null) this.#foot.textContent = NO_OLDER;
    this.#dropOldest();
  }

  /** Whether newer entries than the first row are not shown. They are loaded once the reader scrolls up to it. */
  get hasNewer() {
    return this.#hasNewer;
  }

  /** There are newer entries. Nothing moves for a reader who sees the first row. */
  expectNewer() {
    this.#hasNewer = true;
    this.#onScroll();
  }

  #onScroll() {
    if (!this.#hasNewer || this.#leadsToNewer || this.rows.isEmpty) return;
    if (this.rows.root.firstElementChild.getBoundingClientRect().bottom > -NEAR_PX) return;
    this.#leadsToNewer = true;
    this.#watchEnds();
  }

  #append(page) {
    this.rows.append(page.entries);
    this.#next = page.next_before_seq;
    this.#older.replaceChildren("Load older");
    this.#older.hidden = this.#next === null;
    this.#foot.textContent = this.#next === null && !this.rows.isEmpty ? NO_OLDER : "";
    this.#watchEnds();
  }

  #watchEnds() {
    // Observe again each time: an observer does not report an end that stays in view.
    this.#observer.disconnect();
    if (this.#next !== null) this.#observer.observe(this.#older);
    if (this.#leadsToNewer && !this.rows.isEmpty) this.#observer.observe(this.rows.root.firstElementChild);
  }

  #onEndSeen(seen) {
    const ends = seen.filter((end) => end.isIntersecting).map((end) => end.target);
    if (ends.includes(this.#older)) this.#loadOlder();
    else if (ends.length > 0) this.#loadNewer();
  }

  async #load(fetchMore, show, showProblem) {
    const { signal } = this.#request;
    this.#isLoading = true;
    try {
      const page = await fetchMore(signal);
      if (!signal.aborted) show(page);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) this.#hooks.onError(error);
      else showProblem(error);
    } finally {
      if (!signal.aborted) this.#isLoading = false;
    }
  }

  #loadOlder() {
    const before = this.#next;
    if (this.#isLoading || before === null) return;
    const byKeyboard = document.activeElement === this.#older;
    const last = this.rows.root.lastElementChild;
    this.#foot.textContent = LOADING;
    this.#load(
      (signal) => fetchPage(this.#filters, before, PAGE, signal),
      (page) => {
        if (this.#next !== before) {
          // The oldest rows were let go meanwhile, so this page no longer follows the last row.
          this.#foot.textContent = "";
          return;
        }
        this.#append(page);
        // The button has moved below the new rows, so the focus continues at the first of them.
        if (byKeyboard) last?.nextElementSibling?.querySelector(".row")?.focus();
        if (this.rows.dropNewest()) this.expectNewer();
      },
      (error) => {
        // The observer stays off: it would retry at once, again and again.
        this.#observer.disconnect();
        this.#foot.textContent = `The older entries could not be loaded. ${error.message}`;
        this.#older.replaceChildren("Try again");
        this.#older.hidden = false;
      },
    );
  }

  #loadNewer() {
    if (this.#isLoading) return;
    this.#load(
      (signal) => fetchNewer(this.#filters, this.rows.newestSeq, PAGE, signal),
      ({ entries, prev_after_seq: more }) => {
        this.#hasNewer = entries.length > 0 && more !== null;
        this.#leadsToNewer = this.#hasNewer;
        if (entries.length > 0) this.rows.prependInPlace(entries);
        this.#dropOldest();
        this.#watchEnds();
        this.#hooks.onNewer(entries);
      },
      // The button that leads back to the newest entries is there.
      () => this.#observer.disconnect(),
    );
  }

  #dropOldest() {
    if (!this.rows.dropOldest()) return;
    this.#next = this.rows.oldestSeq;
    this.#older.hidden = false;
    this.#foot.textContent = "";
    this.#watchEnds();
  }
}
