// Follows the log for several pages at once: pages with the same filters share one event source, because a browser opens
// only six connections to one server.

import { fetchPage, streamUrl } from "./api.js";
import { toParameters } from "./filters.js";

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export class Streams {
  /** By what the pages ask for. */
  #streams = new Map();

  /**
   * Sends to `page` the entries recorded after `afterSeq`, and the state of the connection: see `Live`. Each message carries
   * `run`, because a message may be on its way while the page joins another stream.
   */
  join(page, { filters, afterSeq, run }) {
    this.leave(page);
    const key = toParameters(filters).toString();
    if (!this.#streams.has(key)) this.#streams.set(key, new Stream(filters));
    this.#streams.get(key).add(page, { afterSeq, run });
  }

  leave(page) {
    for (const [key, stream] of this.#streams) {
      if (stream.remove(page)) this.#streams.delete(key);
    }
  }
}

class Stream {
  #filters;
  /** What each page has: `{ afterSeq, run }`. */
  #pages = new Map();
  #source = null;
  #retrying = null;
  #retryMs = FIRST_RETRY_MS;

  constructor(filters) {
    this.#filters = filters;
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
    const source = new EventSource(streamUrl(this.#filters, afterSeq));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#tell({ state: "live" });
    });
    for (const type of ["entry", "unreadable"]) {
      source.addEventListener(type, ({ lastEventId, data }) => this.#pass(Number(lastEventId), { type, data }));
    }
    source.addEventListener("error", () => {
      this.#tell({ state: "waiting" });
      // The browser reconnects by itself after a lost connection, but not after an error response.
      if (source.readyState === EventSource.CLOSED) this.#retryLater();
    });
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
