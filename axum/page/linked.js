// The entry that the address names, above the list: a link to one entry can be sent to a colleague.

import { ApiError, fetchEntry, fetchPage } from "./api.js";
import { button, byId, element } from "./dom.js";
import { entryIn } from "./entry_link.js";
import { NO_FILTERS } from "./filters.js";
import { entryRow, redrawTimes } from "./row.js";
import { visibleLine } from "./visible.js";

export class Linked {
  #root = byId("linked");
  #hooks;
  #hash = "";

  /** `hooks`: onShown() after an address within the page has led to an entry, and those of a row. */
  constructor(hooks) {
    this.#hooks = hooks;
    addEventListener("hashchange", async () => {
      await this.show();
      // The list may be scrolled to far below.
      const heading = this.#root.querySelector("h2");
      if (heading === null) return;
      heading.focus();
      this.#hooks.onShown();
    });
    addEventListener("viewchange", () => redrawTimes(this.#root));
  }

  /** Shows the entry that the address names, or nothing. */
  async show() {
    const { hash } = location;
    if (hash === this.#hash) return;
    this.hide();
    this.#hash = hash;
    const named = entryIn(hash);
    if (named === null) return;
    const name = named.id === undefined ? `Entry ${named.seq}` : `The entry with id ${named.id}`;
    try {
      const entry = await (named.id === undefined ? fetchBySeq(named.seq) : fetchEntry(named.id));
      if (hash === this.#hash) this.#draw(entry);
    } catch (error) {
      if (hash !== this.#hash) return;
      this.hide();
      // A reader who has to sign in is asked by the list.
      if (error.status === 401) return;
      this.#hash = hash;
      const isGone = error.status === 404;
      const problem = isGone ? "is not in the log. It may have been deleted." : `could not be loaded. ${error.message}`;
      this.#say(`${name} ${problem}`);
    }
  }

  hide() {
    this.#hash = "";
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }

  #draw(entry) {
    const item = entryRow(entry, this.#hooks, "linked-");
    this.#fill(element("h2", { tabindex: "-1" }, `Entry ${entry.seq}`), element("ol", { class: "rows" }, item));
    item.querySelector("button.row")?.click();
  }

  #say(text) {
    this.#fill(element("p", { role: "status" }, visibleLine(text, 400)), null);
  }

  #fill(title, list) {
    const close = button("Close", "button", () => {
      history.replaceState(null, "", `${location.pathname}${location.search}`);
      this.hide();
      byId("entries").focus({ preventScroll: true });
    });
    this.#root.replaceChildren(element("div", { class: "linked-top" }, title, close), ...(list === null ? [] : [list]));
    this.#root.hidden = false;
  }
}

async function fetchBySeq(seq) {
  const { entries } = await fetchPage(NO_FILTERS, seq + 1, 1);
  const entry = entries.find((found) => found.seq === seq);
  if (entry === undefined) throw new ApiError(404, "");
  return entry;
}
