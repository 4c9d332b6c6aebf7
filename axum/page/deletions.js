// Notices that the entries on the page have been deleted. The stream tells only of new ones.

import { fetchPage } from "./api.js";

const INTERVAL_MS = 5_000;
/** After entries have arrived, such as the one that says who cleared the log. */
const SOON_MS = 500;

export class Deletions {
  #list;
  #onDeleted;
  #filters = null;
  #soon = null;

  /** Calls `onDeleted()` when the newest entry shown is no longer in the log. */
  constructor(list, onDeleted) {
    this.#list = list;
    this.#onDeleted = onDeleted;
    setInterval(() => this.#check(), INTERVAL_MS);
  }

  start(filters) {
    this.#filters = filters;
  }

  stop() {
    this.#filters = null;
  }

  checkSoon() {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#check();
    }, SOON_MS);
  }

  async #check() {
    const [filters, seq] = [this.#filters, this.#list.rows.newestSeq];
    if (filters === null || seq === null || document.hidden) return;
    // Whether the server can be reached is what the stream says.
    const page = await fetchPage(filters, seq + 1, 1).catch(() => null);
    const isSame = this.#filters === filters && this.#list.rows.newestSeq === seq;
    if (page !== null && isSame && page.entries[0]?.seq !== seq) this.#onDeleted();
  }
}
