// The links that export what the list shows. The log records the reader's name with each export.

import { exportUrl } from "./api.js";
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
  #filters = NO_FILTERS;

  constructor() {
    this.#name.hidden = !viewer.asks_for_name;
    this.#name.value = viewer.asks_for_name ? (load(NAME) ?? "") : "";
    this.#name.addEventListener("input", () => {
      this.#link();
      save(NAME, this.#name.value);
    });
    for (const link of Object.values(LINKS)) link.addEventListener("click", (event) => this.#onClick(event, link));
  }

  show(filters) {
    this.#filters = filters;
    this.#link();
    this.#root.hidden = !viewer.exports;
  }

  hide() {
    this.#root.hidden = true;
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
    this.#say("status", "Exporting…");
    try {
      const { blob, name } = await download(address, (bytes) => this.#say("status", `Exporting… ${megabytes(bytes)}`));
      saveAs(blob, name);
      this.#say("status", `Exported ${name}, ${megabytes(blob.size)}`);
    } catch (error) {
      this.#say("alert", `The export failed. ${error.message}`);
    }
  }

  #say(role, text) {
    this.#state.setAttribute("role", role);
    this.#state.textContent = text;
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} MB`;
}
