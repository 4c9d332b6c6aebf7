// The entries over time: one bar per time span, stacked by severity. A click on a bar zooms in to its span.

import { button, byId, element } from "./dom.js";
import { labelsOf, spanLabel } from "./labels.js";
import { justBefore } from "./time.js";

/** From bottom to top. */
const STACK = ["info", "warning", "error"];

export class Histogram {
  #root = byId("histogram");
  #hooks;

  /** `hooks`: zoom({ since, until }), both inclusive, for the bar that the reader picks, showAll(). */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  hide() {
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }

  /** Shows the buckets and, if there are any, how many entries are `outside` the `span`. */
  show({ buckets, since, until, outside = 0, span = "" }) {
    if (buckets.length === 0) {
      this.hide();
      return;
    }
    const focused = this.#focusedBar();
    const tallest = Math.max(1, ...buckets.map(total));
    const label = "Time spans: arrow keys move, Enter zooms in";
    const bars = element("div", { class: "bars", role: "toolbar", "aria-label": label });
    buckets.forEach((bucket, index) => {
      const next = buckets[index + 1]?.start;
      bars.append(this.#bar(bucket, next ?? until, next === undefined ? until : justBefore(next), tallest));
    });
    makeRoving(bars, Math.min(focused ?? 0, buckets.length - 1));
    this.#root.replaceChildren(
      element("div", { class: "scale", "aria-hidden": "true" }, ...[tallest, 0].map(scaleMark)),
      bars,
      element(
        "div",
        { class: "axis", "aria-hidden": "true" },
        ...axisLabels(buckets, since, until).map((label) => element("span", {}, label)),
      ),
      outside === 0 ? "" : this.#note(outside, span),
    );
    this.#root.hidden = false;
    // The bars are replaced when new entries arrive, which must not take the focus from a reader who moves along them.
    if (focused !== null) bars.querySelector("[tabindex='0']").focus({ preventScroll: true });
  }

  #note(outside, span) {
    const text = `${outside.toLocaleString("en")} ${outside === 1 ? "entry is" : "entries are"} outside the last ${span}. `;
    return element("p", { class: "outside" }, text, button("Show them too", "link", () => this.#hooks.showAll()));
  }

  #focusedBar() {
    const bars = [...this.#root.querySelectorAll(".bar")];
    const index = bars.indexOf(document.activeElement);
    return index === -1 ? null : index;
  }

  #bar(bucket, end, last, tallest) {
    const label = `${spanLabel(bucket.start, end)}: ${describe(bucket)}`;
    const bar = element("button", { type: "button", class: "bar", "aria-label": `${label}. Zoom in`, title: label });
    for (const severity of STACK) {
      if (bucket[severity] === 0) continue;
      const part = element("span", { class: `part ${severity}` });
      part.style.height = `${(100 * bucket[severity]) / tallest}%`;
      bar.prepend(part);
    }
    bar.addEventListener("click", () => this.#hooks.zoom({ since: bucket.start, until: last }));
    return bar;
  }
}

/** The start, the middle and the end; what would look the same stands once. */
function axisLabels(buckets, since, until) {
  const middle = buckets.length > 2 ? [buckets[Math.floor(buckets.length / 2)].start] : [];
  return [...new Set(labelsOf([since, ...middle, until]))];
}

/** The entries of all severities. */
export function total(bucket) {
  return STACK.reduce((sum, severity) => sum + bucket[severity], 0);
}

function scaleMark(number) {
  return element("span", {}, number.toLocaleString("en"));
}

function describe(bucket) {
  const count = (severity, one, many) => {
    const number = bucket[severity];
    if (number === 0) return null;
    return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  };
  const parts = [count("info", "info", "info"), count("warning", "warning", "warnings"), count("error", "error", "errors")];
  return parts.filter((part) => part !== null).join(", ") || "no entries";
}

/** Makes the bars one Tab stop with arrow keys inside, so that nobody has to press Tab sixty times. */
function makeRoving(bars, current) {
  const all = [...bars.children];
  all.forEach((bar, index) => bar.setAttribute("tabindex", index === current ? "0" : "-1"));
  bars.addEventListener("keydown", (event) => {
    const index = all.indexOf(document.activeElement);
    const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: all.length - 1 }[event.key];
    if (target === undefined || index === -1 || !all[target]) return;
    event.preventDefault();
    all[index].setAttribute("tabindex", "-1");
    all[target].setAttribute("tabindex", "0");
    all[target].focus();
  });
}
