// Follows the log for several pages at once: pages with the same filters share one event source, because a browser opens
// only six connections to one server.

import { toParameters } from "./filters.js";
import { Stream } from "./stream.js";

/** The rest of the connections is for other requests. */
const MAX_SOURCES = 4;

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
    if (!this.#streams.has(key)) this.#streams.set(key, new Stream(filters, () => this.#hasRoom()));
    this.#streams.get(key).add(page, { afterSeq, run });
  }

  leave(page) {
    for (const [key, stream] of this.#streams) {
      if (stream.remove(page)) this.#streams.delete(key);
    }
  }

  #hasRoom() {
    return [...this.#streams.values()].filter((stream) => stream.hasSource).length < MAX_SOURCES;
  }
}
