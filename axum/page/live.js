// Shows new entries as they are recorded, while the page can be seen. A hidden page lets go of its stream, and catches up
// when it is shown again.

import { parseEntry, unreadableEntry } from "./api.js";
import { StreamsClient } from "./streams_client.js";

/** Entries that arrive within this time are shown together. */
const GATHER_MS = 120;

export class Live {
  #hooks;
  #streams = new StreamsClient((message) => this.#onMessage(message));
  #filters = null;
  #lastSeq = 0;
  #gathered = [];
  #gathering = null;
  #run = 0;

  /**
   * `hooks`: onState(`live`, `waiting`, `unable` or `off`), onEntries(entries, oldest first), onRestored() when all entries are to be
   * read again, onRefused() when the reader has to sign in.
   */
  constructor(hooks) {
    this.#hooks = hooks;
    document.addEventListener("visibilitychange", () => this.#follow());
    // A page that the browser keeps for the Back button must not keep the stream.
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#follow());
  }

  /** Starts with the entries recorded after `afterSeq`. */
  start(filters, afterSeq) {
    this.stop();
    this.#filters = filters;
    this.#lastSeq = afterSeq;
    this.#follow();
  }

  stop() {
    this.#filters = null;
    this.#leave();
    clearTimeout(this.#gathering);
    this.#gathering = null;
    this.#gathered = [];
  }

  #follow() {
    this.#leave();
    if (this.#filters === null || document.hidden) return;
    this.#streams.join({ filters: this.#filters, afterSeq: this.#lastSeq, run: this.#run });
  }

  #leave() {
    this.#run += 1;
    this.#streams.leave();
    this.#hooks.onState("off");
  }

  #onMessage({ run, state, reset, refused, type, data }) {
    if (run !== this.#run) return;
    if (state) this.#hooks.onState(state);
    else if (reset) this.#hooks.onRestored();
    else if (refused) this.#hooks.onRefused();
    else this.#gather(type === "entry" ? parseEntry(data) : unreadableEntry(JSON.parse(data).seq));
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
}
