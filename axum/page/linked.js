// The entry that the address names, such as `#entry-5`, above the list: a link to one entry can be sent to a colleague.

import { fetchPage } from "./api.js";
import { button, byId, element } from "./dom.js";
import { NO_FILTERS } from "./filters.js";
import { entryRow, redrawTimes } from "./row.js";

export class Linked {
  #root = byId("linked");
  #hooks;
  #seq = null;

  /** `hooks`: those of a row. */
  constructor(hooks) {
    this.#hooks = hooks;
    addEventListener("hashchange", () => this.show());
    addEventListener("viewchange", () => redrawTimes(this.#root));
  }

  /** Shows the entry that the address names, or nothing. */
  async show() {
    const seq = /^#entry-(\d{1,15})$/.exec(location.hash)?.[1] ?? null;
    if (seq === this.#seq) return;
    this.hide();
    this.#seq = seq;
    if (seq === null) return;
    try {
      const { entries } = await fetchPage(NO_FILTERS, Number(seq) + 1, 1);
      if (seq === this.#seq) this.#draw(entries.find((entry) => String(entry.seq) === seq));
    } catch (error) {
      if (seq !== this.#seq) return;
      this.hide();
      // A reader who has to sign in is asked by the list.
      if (error.status !== 401) this.#say(`The entry with sequence ${seq} could not be loaded. ${error.message}`);
    }
  }

  hide() {
    this.#seq = null;
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }

  #draw(entry) {
    if (entry === undefined) {
      this.#say(`The entry with sequence ${this.#seq} is not in the log. It may have been deleted.`);
      return;
    }
    const item = entryRow(entry, this.#hooks, "linked-");
    this.#fill(element("h2", {}, `Entry ${entry.seq}`), element("ol", { class: "rows" }, item));
    item.querySelector("button.row")?.click();
  }

  #say(text) {
    this.#fill(element("p", { role: "status" }, text), null);
  }

  #fill(title, list) {
    const close = button("Close", "button", () => {
      history.replaceState(null, "", `${location.pathname}${location.search}`);
      this.hide();
    });
    this.#root.replaceChildren(element("div", { class: "linked-top" }, title, close), ...(list === null ? [] : [list]));
    this.#root.hidden = false;
  }
}
