// The menu of one field: its most frequent values with their numbers of entries, each to ask for or to exclude.

import { fetchFacet } from "./api.js";
import { button, element, icon } from "./dom.js";
import { chosen, excluded, toggleExcept, toggleOnly, withoutFacet } from "./facets.js";
import { attachPanel } from "./panel.js";
import { spelled, visibleLine } from "./visible.js";

export class FacetMenu {
  #facet;
  #ask;
  #filters = null;
  #offered = { values: [], more: false };
  #request = new AbortController();
  #find;
  #list = element("ul", { class: "facet-values" });
  #note = element("p", { class: "note", role: "status" });
  #badge = element("span", { class: "badge" });

  /** Calls `ask(filters)` when the reader picks a value. */
  constructor(facet, ask) {
    this.#facet = facet;
    this.#ask = ask;
    const { label, by, example } = facet;
    const id = `facet-${by}`;
    this.button = element("button", { type: "button", class: "chip menu", id }, label, this.#badge, icon("down"));
    this.#find = element("input", {
      type: "search", placeholder: `Find${example}`, "aria-label": `Find: ${label}`, autocomplete: "off",
      autocapitalize: "none", spellcheck: "false", autofocus: "",
    });
    this.#find.addEventListener("input", () => this.#draw());
    this.#find.addEventListener("keydown", (event) => this.#onKey(event));
    const attributes = { class: "panel facet", popover: "auto", id: `menu-${by}`, role: "dialog", "aria-label": label };
    this.panel = element("div", attributes, this.#find, this.#list, this.#note);
    this.panel.addEventListener("keydown", (event) => this.#moveWith(event));
    attachPanel(this.button, this.panel, () => this.#load());
  }

  show(filters) {
    this.#filters = filters;
    const count = chosen(filters, this.#facet).length + excluded(filters, this.#facet).length;
    this.#badge.textContent = count === 0 ? "" : ` ${count}`;
    this.button.classList.toggle("on", count > 0);
    if (this.panel.matches(":popover-open")) this.#mark();
  }

  async #load() {
    this.#find.value = "";
    this.#offered = { values: [], more: false };
    // Nothing yet that would move once the values are there.
    this.#list.replaceChildren();
    this.#note.textContent = "Loading…";
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    try {
      this.#offered = await fetchFacet(withoutFacet(this.#filters, this.#facet), this.#facet.by, signal);
      this.#draw();
    } catch (error) {
      if (signal.aborted) return;
      this.#draw();
      this.#note.textContent = `The values could not be loaded. ${error.message}`;
    }
  }

  /** The values to offer: first those in use that are rare, or that match nothing. */
  #values() {
    const used = [...chosen(this.#filters, this.#facet), ...excluded(this.#filters, this.#facet)];
    const { values } = this.#offered;
    const rare = used.filter((value) => !values.some((offered) => offered.value === value));
    return [...rare.map((value) => ({ value, entries: null })), ...values];
  }

  #draw() {
    const typed = this.#find.value.trim();
    const values = this.#values().filter(({ value }) => value.toLowerCase().includes(typed.toLowerCase()));
    const isNew = typed !== "" && this.#facet.by !== "severity" && !values.some(({ value }) => value === typed);
    const items = [...values, ...(isNew ? [{ value: typed, entries: null }] : [])];
    this.#list.replaceChildren(...items.map((item) => this.#item(item)));
    this.#note.textContent = this.#offered.more ? "Only the most frequent are listed. Type any other in full." : "";
    if (items.length === 0) this.#note.textContent = "No values found.";
    this.#mark();
  }

  #item({ value, entries }) {
    // An empty value cannot be asked for: to the server, it is no filter.
    const only = element("input", { type: "checkbox", disabled: value === "" ? "" : null });
    only.addEventListener("change", () => this.#ask(toggleOnly(this.#filters, this.#facet, value)));
    const count = element("span", { class: "facet-count" }, entries?.toLocaleString("en") ?? "");
    const item = element("li", {}, element("label", {}, only, element("span", {}, visibleLine(value, 60)), count));
    item.dataset.value = value;
    if (value !== "") {
      const not = button("Not", "not", () => this.#ask(toggleExcept(this.#filters, this.#facet, value)));
      not.setAttribute("aria-label", `Not ${spelled(value, 60)}`);
      item.append(not);
    }
    return item;
  }

  /** Shows which values are in use. The items stay, so the focus does too. */
  #mark() {
    const [only, except] = [chosen(this.#filters, this.#facet), excluded(this.#filters, this.#facet)];
    for (const item of this.#list.children) {
      const { value } = item.dataset;
      item.querySelector("input").checked = only.includes(value);
      item.classList.toggle("excluded", except.includes(value));
      item.querySelector(".not")?.setAttribute("aria-pressed", String(except.includes(value)));
    }
  }

  #onKey(event) {
    const typed = this.#find.value.trim();
    if (event.key !== "Enter" || typed === "") return;
    event.preventDefault();
    const items = [...this.#list.children];
    (items.find((item) => item.dataset.value === typed) ?? items[0])?.querySelector("input").click();
  }

  #moveWith(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const stops = [this.#find, ...this.#list.querySelectorAll("input:enabled")];
    const at = stops.findIndex((stop) => placeOf(stop) === placeOf(document.activeElement));
    stops[at + step]?.focus();
  }
}

/** The item that a control belongs to, or the control by itself. */
function placeOf(control) {
  return control.closest("li") ?? control;
}
