// New entries that wait while the reader has scrolled down, has a row open or has paused the list: nothing moves under the
// reader's eyes.

import { byId, icon } from "./dom.js";
import { isAtTop } from "./scroll.js";
import { viewer } from "./viewer.js";

/** The maximum number of entries kept waiting. The list loads any others once the reader scrolls up. */
const MAX_WAITING = 500;
const TITLE = viewer.title;

export class News {
  #button = byId("news");
  #list;
  #hooks;
  #entries = [];
  #count = 0;
  /** The `seq` of the first entry that waits, also of one that is no longer kept. */
  #firstSeq = 0;
  #isPaused = false;
  #isStale = false;

  /** `hooks`: beforeInsert(), reload(), onWaiting(number of entries, whether there are others not shown). */
  constructor(list, hooks) {
    this.#list = list;
    this.#hooks = hooks;
    this.#button.addEventListener("click", () => this.#onClick());
    addEventListener("scroll", () => this.update(), { passive: true });
    list.rows.root.addEventListener("entrytoggle", () => this.update());
  }

  add(arrived) {
    // The list may have loaded some of them by itself.
    const entries = arrived.filter(({ seq }) => seq > (this.#list.rows.newestSeq ?? 0));
    if (entries.length === 0) return;
    if (this.#count === 0) this.#firstSeq = entries[0].seq;
    this.#count += entries.length;
    this.#entries.push(...entries);
    if (this.#entries.length > MAX_WAITING) {
      this.#entries.splice(0, this.#entries.length - MAX_WAITING);
      this.#list.expectNewer();
    }
    this.#show();
  }

  /** The list has loaded these entries by itself. */
  loaded(entries) {
    const waited = entries.filter(({ seq }) => seq >= this.#firstSeq).length;
    this.#count = Math.max(0, this.#count - waited);
    const newest = this.#list.rows.newestSeq ?? 0;
    this.#entries = this.#entries.filter(({ seq }) => seq > newest);
    this.#show();
  }

  clear() {
    this.#entries = [];
    this.#count = 0;
    this.#isStale = false;
    this.#tell();
  }

  pause(isPaused) {
    this.#isPaused = isPaused;
    this.#show();
  }

  /** Entries that the list shows were deleted. It is read again as soon as that disturbs nobody. */
  outdate() {
    this.#isStale = true;
    this.#show();
  }

  /** Shows what waits if it may be shown now. */
  update() {
    if (this.#count > 0 || this.#list.hasNewer || this.#isStale) this.#show();
  }

  #show() {
    const mayMove = isAtTop() && !this.#list.rows.hasOpenRow && !this.#isPaused;
    if (mayMove && this.#isStale) this.#hooks.reload();
    else if (mayMove && !this.#list.hasNewer) this.#insert();
    else this.#tell();
  }

  #tell() {
    const { hasNewer } = this.#list;
    this.#button.hidden = this.#count === 0 && !hasNewer && !this.#isStale;
    if (!this.#button.hidden) this.#button.replaceChildren(icon("up"), this.#label());
    document.title = this.#count === 0 ? TITLE : `(${this.#count}) ${TITLE}`;
    this.#hooks.onWaiting(this.#count, hasNewer);
  }

  #label() {
    if (this.#isStale) return "Entries were deleted: reload";
    return this.#count === 0 ? "Back to the newest" : `${this.#count.toLocaleString("en")} new`;
  }

  #insert() {
    const entries = this.#entries;
    this.clear();
    if (entries.length === 0) return;
    this.#hooks.beforeInsert();
    this.#list.prepend(entries);
  }

  #onClick() {
    if (this.#list.hasNewer || this.#isStale) {
      this.#hooks.reload();
      return;
    }
    this.#insert();
    scrollTo(0, 0);
    this.#list.rows.focusFirst();
  }
}
