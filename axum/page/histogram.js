// The entries over time: one bar per time span, stacked by severity.

import { button, byId, element } from "./dom.js";
import { labelsOf, spanLabel } from "./labels.js";
import { selectBars } from "./select_bars.js";
import { justBefore } from "./time.js";

/** From bottom to top. */
const STACK = ["info", "warning", "error"];

export class Histogram {
  #root = byId("histogram");
  #hooks;

  /** `hooks`: zoom({ since, until }), both inclusive, for the bars that the reader picks, showAll(whether). */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  hide() {
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }

  /** Shows the buckets and, if there are any, how many entries are `outside` them and `where`. */
  show({ buckets, outside = 0, where = "", showsAll = false }) {
    if (buckets.every((bucket) => total(bucket) === 0)) {
      this.hide();
      return;
    }
    // New bars would end what the reader does with the present ones.
    if (this.#root.querySelector(".dragging") !== null) return;
    const focused = this.#focusedBar();
    const hadFocus = this.#root.contains(document.activeElement);
    const tallest = Math.max(1, ...buckets.map(total));
    const label = "Time spans: arrow keys move, with Shift they select, Enter zooms in";
    const bars = element("div", { class: "bars", role: "toolbar", "aria-label": label });
    bars.append(...buckets.map((bucket) => makeBar(bucket, tallest)));
    selectBars(bars, Math.min(focused ?? 0, buckets.length - 1), (first, last) => {
      this.#hooks.zoom({ since: buckets[first].start, until: justBefore(buckets[last].end) });
    });
    this.#root.replaceChildren(
      element("div", { class: "scale", "aria-hidden": "true" }, ...[tallest, 0].map(scaleMark)),
      bars,
      element(
        "div",
        { class: "axis", "aria-hidden": "true" },
        ...axisLabels(buckets).map((label) => element("span", {}, label)),
      ),
      this.#note(outside, where, showsAll),
    );
    this.#root.hidden = false;
    // The bars are replaced when new entries arrive, which must not take the focus from a reader who moves along them.
    if (focused !== null || hadFocus) bars.querySelector("[tabindex='0']").focus({ preventScroll: true });
  }

  #note(outside, where, showsAll) {
    if (showsAll) {
      const recent = button("Show recent times only", "link", () => this.#hooks.showAll(false));
      return element("p", { class: "outside" }, recent);
    }
    if (outside === 0) return "";
    const [entries, them] = outside === 1 ? ["entry is", "it"] : ["entries are", "them"];
    const text = `${outside.toLocaleString("en")} ${entries} ${where}. `;
    return element("p", { class: "outside" }, text, button(`Show ${them} too`, "link", () => this.#hooks.showAll(true)));
  }

  #focusedBar() {
    const bars = [...this.#root.querySelectorAll(".bar")];
    const index = bars.indexOf(document.activeElement);
    return index === -1 ? null : index;
  }
}

function makeBar(bucket, tallest) {
  const label = `${spanLabel(bucket.start, bucket.end)}: ${describe(bucket)}`;
  const bar = element("button", { type: "button", class: "bar", "aria-label": `${label}. Zoom in`, title: label });
  for (const severity of STACK) {
    if (bucket[severity] === 0) continue;
    const part = element("span", { class: `part ${severity}` });
    part.style.height = `${(100 * bucket[severity]) / tallest}%`;
    bar.prepend(part);
  }
  return bar;
}

/** The start, the middle and the end; what would look the same stands once. */
function axisLabels(buckets) {
  const middle = buckets.length > 2 ? [buckets[Math.floor(buckets.length / 2)].start] : [];
  return [...new Set(labelsOf([buckets[0].start, ...middle, buckets.at(-1).end]))];
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
