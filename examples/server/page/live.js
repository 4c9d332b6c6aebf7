// Receives new entries as server-sent events.

import { fetchPage, parseEntry, streamUrl, unreadableEntry } from "./api.js";
import { byId } from "./dom.js";

/** Entries that arrive within this time are shown together. */
const GATHER_MS = 120;
const LABELS = { live: "Live", waiting: "Reconnecting…", off: "" };
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export class Live {
  #hooks;
  #source = null;
  #filters = null;
  #lastSeq = 0;
  #gathered = [];
  #gathering = null;
  #retrying = null;
  #retryMs = FIRST_RETRY_MS;
  #run = 0;

  /** `hooks`: onEntries(entries, oldest first), onError(error). */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  /** Starts with the entries recorded after `afterSeq`. */
  start(filters, afterSeq) {
    this.stop();
    this.#filters = filters;
    this.#lastSeq = afterSeq;
    this.#retryMs = FIRST_RETRY_MS;
    this.#open();
  }

  stop() {
    this.#run += 1;
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#gathering);
    clearTimeout(this.#retrying);
    this.#gathering = null;
    this.#gathered = [];
    showState("off");
  }

  #open() {
    const source = new EventSource(streamUrl(this.#filters, this.#lastSeq));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      showState("live");
    });
    source.addEventListener("entry", (event) => this.#gather(parseEntry(event.data)));
    source.addEventListener("unreadable", (event) => this.#gather(unreadableEntry(JSON.parse(event.data).seq)));
    source.addEventListener("error", () => {
      showState("waiting");
      // The browser reconnects by itself after a lost connection, but not after an error response.
      if (source.readyState === EventSource.CLOSED) this.#retryLater();
    });
  }

  #gather(entry) {
    if (entry.seq <= this.#lastSeq) return;
    this.#lastSeq = entry.seq;
    this.#gathered.push(entry);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#hooks.onEntries(this.#gathered.splice(0));
    }, GATHER_MS);
  }

  #retryLater() {
    const run = this.#run;
    this.#retrying = setTimeout(async () => {
      try {
        // An EventSource does not say why it was refused; an ordinary request does.
        await fetchPage(this.#filters, null, 1);
        if (run === this.#run) this.#open();
      } catch (error) {
        if (run !== this.#run) return;
        if (error.status === 401) this.#hooks.onError(error);
        else this.#retryLater();
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }
}

function showState(state) {
  const shown = byId("live");
  shown.className = `live ${state}`;
  if (shown.textContent !== LABELS[state]) shown.textContent = LABELS[state];
}
