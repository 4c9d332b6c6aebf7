// The links that export what the list shows. The log records the reader's name with each export.

import { exportUrl } from "./api.js";
import { byId } from "./dom.js";
import { NO_FILTERS } from "./filters.js";
import { load, save } from "./storage.js";

const NAME = "exported-by";

export class Exports {
  #root = byId("exports");
  #name = byId(NAME);
  #filters = NO_FILTERS;

  constructor() {
    this.#name.value = load(NAME) ?? "";
    this.#name.addEventListener("input", () => {
      this.#link();
      save(NAME, this.#name.value);
    });
  }

  show(filters) {
    this.#filters = filters;
    this.#link();
    this.#root.hidden = false;
  }

  hide() {
    this.#root.hidden = true;
  }

  #link() {
    const name = this.#name.value.trim();
    byId("export-ndjson").href = exportUrl(this.#filters, "ndjson", name);
    byId("export-csv").href = exportUrl(this.#filters, "csv", name);
  }
}
