// New entries that wait while the reader has scrolled down or has a row open: nothing moves under the reader's eyes.

import { byId, icon } from "./dom.js";
import { viewer } from "./viewer.js";

/** A scroll position this near to the top counts as the top. */
const TOP_PX = 80;
/** The maximum number of entries kept waiting. Beyond it, the button reloads the list. */
const MAX_WAITING = 500;
const TITLE = viewer.title;

export class News {
  #button = byId("news");
  #list;
  #hooks;
  #entries = [];
  #count = 0;

  /** `hooks`: beforeInsert(), reload(). */
  constructor(list, hooks) {
    this.#list = list;
    this.#hooks = hooks;
    this.#button.addEventListener("click", () => this.#onClick());
    addEventListener("scroll", () => this.#onScroll(), { passive: true });
  }

  add(entries) {
    this.#count += entries.length;
    if (this.#count <= MAX_WAITING) this.#entries.push(...entries);
    else this.#entries = [];
    this.#show();
  }

  clear() {
    this.#entries = [];
    this.#count = 0;
    this.#button.hidden = true;
    document.title = TITLE;
  }

  #show() {
    const { hasOpenRow, hasDroppedNewest } = this.#list;
    if (scrollY <= TOP_PX && !hasOpenRow && !hasDroppedNewest && !this.#hasOverflowed) {
      this.#insert();
      return;
    }
    this.#button.hidden = this.#count === 0 && !hasDroppedNewest;
    if (!this.#button.hidden) this.#button.replaceChildren(icon("up"), label(this.#count));
    document.title = this.#count === 0 ? TITLE : `(${this.#count}) ${TITLE}`;
  }

  #insert() {
    const entries = this.#entries;
    this.clear();
    if (entries.length === 0) return;
    this.#hooks.beforeInsert();
    this.#list.prepend(entries);
  }

  get #hasOverflowed() {
    return this.#count > this.#entries.length;
  }

  #onClick() {
    if (this.#list.hasDroppedNewest || this.#hasOverflowed) {
      this.#hooks.reload();
      return;
    }
    this.#insert();
    scrollTo(0, 0);
    this.#list.focusFirst();
  }

  #onScroll() {
    if (this.#count > 0 || this.#list.hasDroppedNewest) this.#show();
  }
}

/** The label of the button; without waiting entries, it leads back to the newest ones, which the list has dropped. */
function label(count) {
  return count === 0 ? "Back to the newest" : `${count.toLocaleString("en")} new`;
}
