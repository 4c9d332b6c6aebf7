// New entries with certain filters, for all pages that show these. They come from an event source or, while other streams
// have the connections, from one that is open for a moment, again and again.

import { fetchNewer, isOfStandby, streamUrl } from "./api.js";

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const LOOK_AGAIN_MS = 2_000;
/** A stream that sends nothing for this long has sent what there is. */
const QUIET_MS = 300;
const MAX_LOOK_MS = 3_000;

/** Settled when no stream has an event source for a moment. */
let looking = Promise.resolve();

export class Stream {
  #filters;
  #hasRoom;
  /** What each page has: `{ afterSeq, run }`. */
  #pages = new Map();
  #source = null;
  #isBrief = false;
  #retrying = null;
  #retryMs = FIRST_RETRY_MS;
  /** Whether the log is that of a standby, which cannot be followed before it is promoted. */
  #isUnable = false;

  /** `hasRoom` says whether there may be one more event source. */
  constructor(filters, hasRoom) {
    this.#filters = filters;
    this.#hasRoom = hasRoom;
  }

  /** Whether it has an event source for good. */
  get hasSource() {
    return this.#source !== null && !this.#isBrief;
  }

  add(page, position) {
    this.#pages.set(page, position);
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
    if (this.#hasRoom()) this.#listen();
    else this.#look();
  }

  /** Opens an event source for a moment, again and again. Only one stream at a time does. */
  #look() {
    this.#isBrief = true;
    looking = looking.then(async () => {
      if (!this.#isBrief || this.#source !== null || this.#pages.size === 0) return;
      this.#listen();
      const source = this.#source;
      await untilQuiet(source);
      if (source !== this.#source || source.readyState === EventSource.CLOSED) return;
      this.#close();
      this.#retrying = setTimeout(() => this.#open(), LOOK_AGAIN_MS);
    });
  }

  /** The oldest position of the pages, so that nobody misses an entry: each page gets only what is new to it. */
  get #afterSeq() {
    return Math.min(...[...this.#pages.values()].map((position) => position.afterSeq));
  }

  #listen() {
    const source = new EventSource(streamUrl(this.#filters, this.#afterSeq));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#isUnable = false;
      this.#tell({ state: "live" });
    });
    for (const type of ["entry", "unreadable"]) {
      source.addEventListener(type, ({ lastEventId, data }) => this.#pass(Number(lastEventId), { type, data }));
    }
    source.addEventListener("reset", ({ data }) => this.#begin(JSON.parse(data).newest_seq));
    source.addEventListener("error", () => {
      this.#tell({ state: this.#isUnable ? "unable" : "waiting" });
      // The browser reconnects by itself after a lost connection, but not after an error response.
      if (source.readyState === EventSource.CLOSED) this.#retryLater();
    });
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    this.#isBrief = false;
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
        await fetchNewer(this.#filters, this.#afterSeq, 1);
        if (source === this.#source) this.#open();
      } catch (error) {
        if (source !== this.#source) return;
        if (error.status === 401) {
          this.#tell({ refused: true });
          return;
        }
        this.#isUnable = isOfStandby(error);
        if (this.#isUnable) this.#tell({ state: "unable" });
        this.#retryLater();
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }
}

/** Waits until the source has sent what there is, or fails to. */
function untilQuiet(source) {
  return new Promise((resolve) => {
    let quiet = setTimeout(resolve, MAX_LOOK_MS);
    setTimeout(resolve, MAX_LOOK_MS);
    const restart = () => {
      clearTimeout(quiet);
      quiet = setTimeout(resolve, QUIET_MS);
    };
    for (const type of ["open", "entry", "unreadable", "reset"]) source.addEventListener(type, restart);
    source.addEventListener("error", resolve);
  });
}
