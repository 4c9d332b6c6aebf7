// The panel for the operator of the log: its size, and how what keeps it is doing.

import { fetchStatus } from "./api.js";
import { byId } from "./dom.js";
import { attachPanel } from "./panel.js";
import { RetentionForm } from "./retention_form.js";
import { linesOf } from "./status.js";
import { viewer } from "./viewer.js";

const INTERVAL_MS = 3_000;

export class LogPanel {
  #button = byId("show-log");
  #panel = byId("log");
  #state = byId("log-state");
  #problem = byId("log-problem");
  #facts = byId("log-facts");
  #form;
  #onSignedOut;
  #request = new AbortController();
  #timer = null;

  /** `hooks`: onSignedOut() when the server asks who the reader is. */
  constructor({ onSignedOut }) {
    this.#onSignedOut = onSignedOut;
    this.#form = new RetentionForm({ onChanged: () => this.#load(), onSignedOut });
    attachPanel(this.#button, this.#panel, () => this.#open());
    this.#panel.addEventListener("toggle", ({ newState }) => {
      if (newState === "closed") this.#stop();
    });
    this.#facts.addEventListener("click", ({ target }) => {
      // The row that a link leads to would be below the panel.
      if (target.closest("a") !== null) this.#panel.hidePopover();
    });
  }

  show() {
    this.#button.hidden = !viewer.status;
  }

  hide() {
    this.#button.hidden = true;
    this.#panel.hidePopover();
  }

  #open() {
    this.#facts.replaceChildren();
    this.#form.hide();
    this.#problem.textContent = "";
    this.#state.textContent = "Loading…";
    this.#load();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#request.abort();
  }

  async #load() {
    this.#stop();
    this.#request = new AbortController();
    const { signal } = this.#request;
    try {
      const status = await fetchStatus(signal);
      this.#problem.textContent = "";
      this.#draw(linesOf(status));
      this.#form.show(status.retention?.settings ?? null);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) {
        this.#onSignedOut();
        return;
      }
      // What was true is not true any longer.
      this.#draw([]);
      this.#problem.textContent = `The state of the log could not be loaded. ${error.message}`;
    }
    this.#state.textContent = "";
    this.#timer = setTimeout(() => this.#load(), INTERVAL_MS);
  }

  /** Replaces only what has changed, so that a link that has the focus keeps it. */
  #draw(lines) {
    const shown = [...this.#facts.children];
    if (shown.length !== lines.length) {
      this.#facts.replaceChildren(...lines);
      return;
    }
    lines.forEach((line, place) => {
      if (!line.isEqualNode(shown[place])) shown[place].replaceWith(line);
    });
  }
}
