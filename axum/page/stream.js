// New entries with certain filters, for all pages that show these. They come from an event source or, while other streams
// have the connections, by asking again and again.

import { fetchNewer, fetchPage, streamUrl } from "./api.js";

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const POLL_MS = 2_000;
const POLL_LIMIT = 100;

export class Stream {
  #filters;
  #hasRoom;
  /** What each page has: `{ afterSeq, run }`. */
  #pages = new Map();
  #source = null;
  #retrying = null;
  #retryMs = FIRST_RETRY_MS;

  /** `hasRoom` says whether there may be one more event source. */
  constructor(filters, hasRoom) {
    this.#filters = filters;
    this.#hasRoom = hasRoom;
  }

  get hasSource() {
    return this.#source instanceof EventSource;
  }

  add(page, position) {
    this.#pages.set(page, position);
    // From the oldest of their positions, so that nobody misses an entry: each page gets only what is new to it.
    this.#open();
  }

  /** Whether that was the last page. */
  remove(page) {
    this.#pages.delete(page);
    if (this.#pages.size > 0) return false;
    this.#close();
    return true;
  }

  #open() {
    this.#close();
    const afterSeq = Math.min(...[...this.#pages.values()].map((position) => position.afterSeq));
    if (this.#hasRoom()) this.#listen(afterSeq);
    else this.#poll(afterSeq);
  }

  #listen(afterSeq) {
    const source = new EventSource(streamUrl(this.#filters, afterSeq));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#tell({ state: "live" });
    });
    for (const type of ["entry", "unreadable"]) {
      source.addEventListener(type, ({ lastEventId, data }) => this.#pass(Number(lastEventId), { type, data }));
    }
    source.addEventListener("reset", ({ data }) => this.#begin(JSON.parse(data).newest_seq));
    source.addEventListener("error", () => {
      this.#tell({ state: "waiting" });
      // The browser reconnects by itself after a lost connection, but not after an error response.
      if (source.readyState === EventSource.CLOSED) this.#retryLater();
    });
  }

  async #poll(afterSeq) {
    const source = { close() {} };
    this.#source = source;
    try {
      const { entries } = await fetchNewer(this.#filters, afterSeq, POLL_LIMIT);
      if (source !== this.#source) return;
      this.#retryMs = FIRST_RETRY_MS;
      this.#tell({ state: "live" });
      for (const entry of entries.reverse()) {
        this.#pass(entry.seq, { type: entry.unreadable ? "unreadable" : "entry", data: JSON.stringify(entry) });
      }
      this.#retrying = setTimeout(() => this.#open(), POLL_MS);
    } catch {
      if (source !== this.#source) return;
      this.#tell({ state: "waiting" });
      this.#retryLater();
    }
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#retrying);
  }

  #pass(seq, event) {
    for (const [page, position] of this.#pages) {
      if (seq <= position.afterSeq) continue;
      position.afterSeq = seq;
      page.postMessage({ ...event, run: position.run });
    }
  }

  /** The log was restored or begun anew: what the pages show is of another one. */
  #begin(newestSeq) {
    for (const position of this.#pages.values()) position.afterSeq = newestSeq;
    this.#tell({ reset: true });
  }

  #tell(message) {
    for (const [page, { run }] of this.#pages) page.postMessage({ ...message, run });
  }

  #retryLater() {
    const source = this.#source;
    this.#retrying = setTimeout(async () => {
      try {
        // An EventSource does not say why it was refused; an ordinary request does.
        await fetchPage(this.#filters, null, 1);
        if (source === this.#source) this.#open();
      } catch (error) {
        if (source !== this.#source) return;
        if (error.status === 401) this.#tell({ refused: true });
        else this.#retryLater();
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }
}
