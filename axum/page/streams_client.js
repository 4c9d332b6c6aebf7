// How a page reaches the streams: those that it shares with other pages or, in browsers without shared workers, its own.

import { Streams } from "./streams.js";

export class StreamsClient {
  #onMessage;
  /** Takes messages to the streams: the port of the shared worker, or what takes its place. */
  #port;
  #joined = null;

  /** Calls `onMessage` with what a stream says. */
  constructor(onMessage) {
    this.#onMessage = onMessage;
    try {
      this.#port = this.#share();
    } catch {
      // The browser has no shared workers, or the reader forbids them together with storage.
      this.#port = this.#own();
    }
  }

  /** Follows the stream of `{ filters, afterSeq, run }` in place of a former one. */
  join(joined) {
    this.#joined = joined;
    this.#port.postMessage({ join: joined });
  }

  leave() {
    this.#joined = null;
    this.#port.postMessage({});
  }

  #share() {
    const worker = new SharedWorker(new URL("streams_worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("error", () => {
      // The browser has shared workers, but cannot start this one.
      this.#port = this.#own();
      if (this.#joined !== null) this.join(this.#joined);
    });
    const { port } = worker;
    port.addEventListener("message", ({ data }) => (data.lives ? this.#restartWhenDead() : this.#onMessage(data)));
    port.start();
    holdLifeline((lifeline) => port.postMessage({ lifeline }));
    return port;
  }

  /** A worker that crashes says nothing, but the browser frees its lock. */
  #restartWhenDead() {
    navigator.locks.request("streams", { mode: "shared" }, () => {
      this.#port = this.#share();
      if (this.#joined !== null) this.join(this.#joined);
    });
  }

  #own() {
    const streams = new Streams();
    const page = { postMessage: this.#onMessage };
    return { postMessage: ({ join }) => (join ? streams.join(page, join) : streams.leave(page)) };
  }
}

/** Holds a lock for as long as the page exists. Over plain HTTP from another machine, browsers have no locks. */
function holdLifeline(held) {
  const lifeline = `page ${Math.random()}`;
  navigator.locks?.request(lifeline, () => {
    held(lifeline);
    return new Promise(() => {});
  });
}
