// The links that export what the list shows. The log records the reader's name with each export.

import { exportUrl } from "./api.js";
import { copyButton } from "./copy.js";
import { curlOfList } from "./curl.js";
import { byId } from "./dom.js";
import { download, saveAs } from "./download.js";
import { NO_FILTERS } from "./filters.js";
import { load, save } from "./storage.js";
import { viewer } from "./viewer.js";

const NAME = "exported-by";
const LINKS = { ndjson: byId("export-ndjson"), csv: byId("export-csv") };

export class Exports {
  #root = byId("exports");
  #name = byId(NAME);
  #state = byId("export-state");
  #cancel = byId("cancel-export");
  #running = null;
  #filters = NO_FILTERS;

  constructor() {
    this.#name.hidden = !viewer.asks_for_name;
    this.#name.value = viewer.asks_for_name ? (load(NAME) ?? "") : "";
    this.#name.addEventListener("input", () => {
      this.#link();
      save(NAME, this.#name.value);
    });
    this.#cancel.addEventListener("click", () => this.#running?.abort());
    const curl = copyButton("curl", () => curlOfList(this.#filters));
    curl.title = "Copy the request for these entries as a curl command";
    this.#root.append(curl);
    for (const link of Object.values(LINKS)) link.addEventListener("click", (event) => this.#onClick(event, link));
  }

  show(filters) {
    this.#filters = filters;
    this.#link();
    this.#root.hidden = !viewer.exports;
  }

  hide() {
    this.#root.hidden = true;
    this.#running?.abort();
    this.#say("status", "");
  }

  #link() {
    const name = this.#name.value.trim();
    for (const [format, link] of Object.entries(LINKS)) link.href = exportUrl(this.#filters, format, name);
  }

  #onClick(event, link) {
    // A modified click is for the browser, such as one that saves under another name.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    // The last hour ends now.
    this.#link();
    this.#export(link.href);
  }

  async #export(address) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#say("status", "Exporting…");
    this.#cancel.hidden = false;
    const started = performance.now();
    try {
      const { blob, name } = await download(address, (bytes) => this.#progress(bytes, started), running.signal);
      saveAs(blob, name);
      this.#end(running, "status", `Exported ${megabytes(blob.size)}`);
    } catch (error) {
      if (running.signal.aborted) this.#end(running, "status", "The export was cancelled.");
      else this.#end(running, "alert", `The export failed. ${error.message}`);
    }
  }

  /** The server does not know the size of a file before its end. */
  #progress(bytes, started) {
    const seconds = Math.max(1, Math.round((performance.now() - started) / 1000));
    // A screen reader would read every step.
    this.#say("status", `Exporting… ${megabytes(bytes)} in ${seconds.toLocaleString("en")} s`, "off");
  }

  #end(running, role, text) {
    if (running !== this.#running) return;
    this.#running = null;
    // A hidden button would lose the focus.
    if (document.activeElement === this.#cancel) LINKS.ndjson.focus();
    this.#cancel.hidden = true;
    this.#say(role, text);
  }

  #say(role, text, live = role === "alert" ? "assertive" : "polite") {
    this.#state.setAttribute("role", role);
    this.#state.setAttribute("aria-live", live);
    this.#state.textContent = text;
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} MB`;
}
