// The filter controls: they show the active filters, and request others.

import { activeChips } from "./active_filters.js";
import { button, byId } from "./dom.js";
import { FacetMenu } from "./facet_menu.js";
import { FACETS, toggleOnly } from "./facets.js";
import { isOnly, isUnfiltered, NO_FILTERS } from "./filters.js";
import { PRESETS } from "./presets.js";
import { severityMark } from "./row.js";
import { endFromInput, startFromInput, startOfToday, toInput } from "./time.js";
import { visibleLine } from "./visible.js";

const TYPING_MS = 250;
const SEVERITIES = ["info", "warning", "error"];
const CATEGORIES = ["auth", "device", "entity", "capture", "system"];
/** The maximum number of chips for the host's own categories. The reader can pick any other from an open entry. */
const MAX_OTHERS = 12;
/** The fields for times, and what each reads from its control. */
const TIMES = { since: startFromInput, until: endFromInput };

export class FilterBar {
  #form = byId("filters");
  #change;
  #filters = NO_FILTERS;
  #others = [];
  #typing = null;
  #typedInto = null;
  #menus = FACETS.map((facet) => new FacetMenu(facet, (filters) => this.#ask(filters)));

  /** Calls `change(filters, { replace })`; `replace` is set while the reader keeps typing in one field. */
  constructor(change) {
    this.#change = change;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#commitText();
    });
    this.#form.addEventListener("input", (event) => this.#onInput(event));
    this.#form.addEventListener("focusout", () => {
      if (this.#typing !== null) this.#commitText();
      this.#typedInto = null;
    });
    byId("facets").append(...this.#menus.map((menu) => menu.button));
    byId("menus").append(...this.#menus.map((menu) => menu.panel));
    byId("show-more").addEventListener("click", ({ currentTarget }) => {
      const more = byId("more");
      more.hidden = !more.hidden;
      currentTarget.setAttribute("aria-expanded", String(!more.hidden));
    });
  }

  show(filters) {
    clearTimeout(this.#typing);
    this.#typing = null;
    this.#filters = filters;
    for (const input of this.#inputs()) {
      const { name } = input;
      const value = name in TIMES ? toInput(filters[name]) : filters[name];
      // A half-typed date has the value "", and assigning to the input would erase what the reader has typed. Nor does a
      // typed minute become its last second.
      if (input.value !== value && TIMES[name]?.(input.value) !== filters[name]) input.value = value;
    }
    for (const menu of this.#menus) menu.show(filters);
    this.#draw();
  }

  /** Adds a chip for each category that has none yet. The present chips stay, so that no click on one is lost. */
  addCategories(categories) {
    const known = this.#categories();
    const fresh = categories.filter((category) => category !== "" && !known.includes(category));
    fresh.splice(MAX_OTHERS - this.#others.length);
    this.#others.push(...fresh);
    byId("categories").append(...fresh.map((category) => this.#categoryChip(category)));
  }

  #categories() {
    return [...new Set([...CATEGORIES, ...this.#others, ...this.#filters.categories])];
  }

  #categoryChip(category) {
    return this.#chip("categories", category, visibleLine(category, 40));
  }

  #inputs() {
    return this.#form.querySelectorAll("input[name]");
  }

  #draw() {
    const focused = document.activeElement?.dataset?.chip;
    const filters = this.#filters;
    byId("severities").replaceChildren(
      ...SEVERITIES.map((severity) => this.#chip("severities", severity, severityMark(severity))),
    );
    byId("categories").replaceChildren(...this.#categories().map((category) => this.#categoryChip(category)));
    const today = startOfToday();
    const only = (list, ...items) => ({ [list]: items, [`exclude_${list}`]: [] });
    byId("quick").replaceChildren(
      this.#quick("Today", filters.since === today && filters.until === "", { since: today, until: "" }, { since: "" }),
      this.#quick("Errors", isOnly(filters, "severities", "error"), only("severities", "error"), only("severities")),
      this.#quick("Sign-ins", isOnly(filters, "categories", "auth"), only("categories", "auth"), only("categories")),
    );
    byId("spans").replaceChildren(
      ...PRESETS.map(({ since, label }) => this.#span(label, since)),
      this.#span("All", ""),
    );
    const clear = button("Clear all filters", "link", () => this.#ask(NO_FILTERS));
    clear.dataset.chip = "clear";
    byId("active").replaceChildren(...activeChips(filters, (left) => this.#ask(left)), clear);
    byId("active").hidden = isUnfiltered(filters);
    // The chips have been replaced, so restore the focus.
    const chips = [...this.#form.querySelectorAll("[data-chip]")];
    if (focused) (chips.find((chip) => chip.dataset.chip === focused) ?? byId("search")).focus({ preventScroll: true });
  }

  #chip(list, item, label) {
    const facet = FACETS.find(({ only }) => only === list);
    const chip = button("", "chip", () => this.#ask(toggleOnly(this.#filters, facet, item)));
    chip.replaceChildren(label);
    chip.dataset.chip = `${list} ${item}`;
    chip.setAttribute("aria-pressed", String(this.#filters[list].includes(item)));
    return chip;
  }

  #span(label, since) {
    const pressed = this.#filters.since === since && this.#filters.until === "";
    return this.#quick(label, pressed, { since, until: "" }, { since: "", until: "" });
  }

  #quick(label, pressed, on, off) {
    const chip = button(label, "chip quick", () => this.#ask({ ...this.#filters, ...(pressed ? off : on) }));
    chip.dataset.chip = `quick ${label}`;
    chip.setAttribute("aria-pressed", String(pressed));
    return chip;
  }

  #onInput(event) {
    const input = event.target;
    if (!(input.name in NO_FILTERS)) return;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#commitText(input), TYPING_MS);
  }

  #commitText(input = document.activeElement) {
    clearTimeout(this.#typing);
    this.#typing = null;
    const next = { ...this.#filters };
    for (const { name, value } of this.#inputs()) {
      if (!(name in TIMES)) next[name] = value;
      // A bound may be more precise than its control can show, so keep it unless the reader changes the control.
      else if (value !== toInput(this.#filters[name])) next[name] = TIMES[name](value);
    }
    const replace = this.#typedInto === input && input?.name !== undefined;
    this.#typedInto = input;
    this.#change(next, { replace });
  }

  #ask(next) {
    this.#typedInto = null;
    this.#change(next, { replace: false });
  }
}
