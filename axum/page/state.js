// What the page says in place of the entries: that there are none, or that they could not be loaded.

import { button, byId, element } from "./dom.js";
import { isUnfiltered } from "./filters.js";
import { resolved } from "./presets.js";

export function hideState() {
  byId("state").hidden = true;
}

export function showEmpty(filters, clearFilters) {
  if (isUnfiltered(filters)) {
    show("empty", "The log is empty", "Entries appear here as soon as the server records them.");
    return;
  }
  const isReversed = Date.parse(resolved(filters.since)) > Date.parse(filters.until);
  const advice = isReversed ? "“From” is later than “To”." : "Remove a filter or widen the time range.";
  show("empty", "No entries match these filters", advice, button("Clear all filters", "button", clearFilters));
}

export function showFailure(error, { retry, clearFilters }) {
  const advice = error.status === 0 ? "Check that the server is running and that you are connected, then try again." : null;
  const actions = [
    button("Try again", "button primary", retry),
    error.parameter ? button("Clear all filters", "button", clearFilters) : null,
  ];
  const text = advice === null ? error.message : `${error.message} ${advice}`;
  show("failed", "The entries could not be loaded", text, ...actions.filter((action) => action !== null));
}

function show(className, title, text, ...actions) {
  const state = byId("state");
  state.className = `state ${className}`;
  state.replaceChildren(element("h2", {}, title), element("p", {}, text), element("div", { class: "chips" }, ...actions));
  state.hidden = false;
}
