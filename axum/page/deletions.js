// Notices that entries on the page have been deleted. The stream tells only of new ones.

import { fetchPage } from "./api.js";

const INTERVAL_MS = 5_000;
/** After entries have arrived, such as the one that says who cleared the log. */
const SOON_MS = 500;

export class Deletions {
  #rows;
  #onDeleted;
  #filters = null;
  #timer = null;
  #soon = null;

  /**
   * Calls `onDeleted()` when the newest or the oldest entry shown, which `rows` tells as `newestSeq` and `oldestSeq`, is no
   * longer in the log: who clears it leaves an entry about that, and retention deletes the oldest.
   */
  constructor(rows, onDeleted) {
    this.#rows = rows;
    this.#onDeleted = onDeleted;
  }

  start(filters) {
    this.stop();
    // An entry of the last hour stays on the page when it is older.
    this.#filters = { ...filters, since: "" };
    this.#timer = setInterval(() => this.#check(), INTERVAL_MS);
  }

  stop() {
    this.#filters = null;
    clearInterval(this.#timer);
  }

  checkSoon() {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#check();
    }, SOON_MS);
  }

  async #check() {
    const filters = this.#filters;
    const { newestSeq, oldestSeq } = this.#rows;
    if (filters === null || newestSeq === null || document.hidden) return;
    const isThere = await Promise.all([...new Set([newestSeq, oldestSeq])].map((seq) => isInLog(filters, seq)));
    const isSame = this.#filters === filters && this.#rows.newestSeq === newestSeq && this.#rows.oldestSeq === oldestSeq;
    if (isSame && isThere.includes(false)) this.#onDeleted();
  }
}

/** Null where the server does not say. Whether it can be reached is what the stream says. */
async function isInLog(filters, seq) {
  const page = await fetchPage(filters, seq + 1, 1).catch(() => null);
  return page === null ? null : page.entries[0]?.seq === seq;
}
