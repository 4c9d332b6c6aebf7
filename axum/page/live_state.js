// What the page says of new entries: whether they arrive, whether all of them are shown, and a button that pauses.

import { byId } from "./dom.js";

/** How long the page says what has happened to the log. */
const NOTICE_MS = 60_000;

const TEXTS = {
  live: "Live",
  paused: "Paused",
  waiting: "Reconnecting…",
  unable: "Not live: this database is a standby",
  off: "",
};

export class LiveState {
  #shown = byId("live");
  #button = byId("pause");
  #onPause;
  #connection = "off";
  #notice = "";
  #noticed = null;
  #waiting = "";
  #isPaused = false;

  /** Calls `onPause(whether the list is paused)` when the reader presses the button. */
  constructor(onPause) {
    this.#onPause = onPause;
    this.#button.addEventListener("click", () => {
      this.#isPaused = !this.#isPaused;
      this.#onPause(this.#isPaused);
      this.#draw();
    });
  }

  /** `live`, `waiting` for a connection, `unable` to follow the log, or `off`. */
  connection(state) {
    this.#connection = state;
    this.#draw();
  }

  /** Says for a while what has happened to the log. */
  notice(text) {
    clearTimeout(this.#noticed);
    this.#notice = text;
    this.#noticed = setTimeout(() => this.endNotice(), NOTICE_MS);
    this.#draw();
  }

  endNotice() {
    this.#notice = "";
    this.#draw();
  }

  /** How many new entries are not shown, and whether there are others, whose number is not known. */
  waiting(count, hasOthers) {
    const entries = count === 1 ? "1 new entry" : `${count.toLocaleString("en")} new entries`;
    this.#waiting = count === 0 && !hasOthers ? "" : `${count === 0 ? "newest entries" : entries} not shown`;
    this.#draw();
  }

  #draw() {
    const state = this.#connection === "live" && this.#isPaused ? "paused" : this.#connection;
    const text = TEXTS[state];
    const parts = state === "live" || state === "paused" ? [text, this.#notice, this.#waiting] : [text];
    const label = parts.filter((part) => part !== "").join(" · ");
    this.#shown.className = `live ${state} ${this.#waiting === "" ? "" : "incomplete"}`;
    if (this.#shown.textContent !== label) this.#shown.textContent = label;
    this.#button.hidden = state === "off" || state === "unable";
    this.#button.textContent = this.#isPaused ? "Resume" : "Pause";
  }
}
