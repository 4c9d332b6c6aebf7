// The count, the histogram and the categories. The list neither waits for them nor fails with them.

import { fetchCount, fetchFacet } from "./api.js";
import { byId } from "./dom.js";
import { Histogram } from "./histogram.js";
import { fetchBars } from "./bars.js";
import { resolved } from "./presets.js";
import { keepingRows } from "./scroll.js";

const PAUSE_MS = 3_000;

export class Summary {
  #count = byId("count");
  #histogram;
  #onCategories;
  #filters = null;
  #showsAllTimes = false;
  #request = new AbortController();
  #timer = null;

  /** `hooks`: zoom({ since, until }) for the bars that the reader picks, onCategories(categories to choose from). */
  constructor({ zoom, onCategories }) {
    this.#histogram = new Histogram({ zoom: (span) => zoom(within(span, this.#filters)), showAll: (showsAll) => this.#showAllTimes(showsAll) });
    this.#onCategories = onCategories;
  }

  async reload(filters) {
    this.#cancel();
    if (filters !== this.#filters) this.#showsAllTimes = false;
    this.#filters = filters;
    this.#request = new AbortController();
    const { signal } = this.#request;
    const [count, times, categories] = await Promise.allSettled([
      fetchCount(filters, signal),
      fetchBars(filters, this.#showsAllTimes, signal),
      fetchFacet({ ...filters, categories: [] }, "category", signal),
    ]);
    if (signal.aborted) return;
    this.#count.textContent = count.status === "fulfilled" ? countLabel(count.value) : "";
    keepingRows(() => (times.status === "fulfilled" ? this.#histogram.show(times.value) : this.#histogram.hide()));
    if (categories.status === "fulfilled") this.#onCategories(categories.value.values.map(({ value }) => value));
  }

  /** Shows the same as the reader wants to see it now. */
  redraw() {
    if (this.#filters !== null) this.reload(this.#filters);
  }

  /** Reloads after a pause, at most once for all the calls within it. */
  reloadSoon() {
    this.#timer ??= setTimeout(() => this.reload(this.#filters), PAUSE_MS);
  }

  clear() {
    this.#cancel();
    this.#filters = null;
    this.#histogram.hide();
    this.#count.textContent = "";
  }

  #showAllTimes(showsAll) {
    this.#showsAllTimes = showsAll;
    this.reload(this.#filters);
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#request.abort();
  }
}

function countLabel({ count, more }) {
  const number = `${count.toLocaleString("en")}${more ? "+" : ""}`;
  return `${number} ${count === 1 && !more ? "entry" : "entries"}`;
}

/** The part of a span that the filters allow: the first bar may begin before the first time that was asked for. */
function within({ since, until }, filters) {
  const start = resolved(filters.since);
  return {
    since: Date.parse(start) > Date.parse(since) ? start : since,
    until: Date.parse(filters.until) < Date.parse(until) ? filters.until : until,
  };
}
