// How the reader wants to see the log. The browser remembers it.

import { showColumns } from "./columns.js";
import { load, save } from "./storage.js";

const KEY = "view";
const DEFAULTS = { zone: "local", times: "relative", theme: "system", density: "compact", hidden: "" };
const chosen = { ...DEFAULTS, ...parse(load(KEY)) };

/**
 * The present choices: `zone` is `local` or `utc`, `times` is `relative` or `absolute`, `theme` is `system`, `light` or
 * `dark`, `density` is `compact` or `roomy`, and `hidden` names the hidden columns, separated by spaces.
 */
export function view() {
  return chosen;
}

/** Changes some of them. The page hears of it as the event `viewchange` of the window. */
export function setView(changes) {
  Object.assign(chosen, changes);
  save(KEY, JSON.stringify(chosen));
  apply();
  dispatchEvent(new Event("viewchange"));
}

/** Style sheets see the choices as attributes of the document. */
export function apply() {
  const { dataset } = document.documentElement;
  Object.assign(dataset, chosen);
  showColumns(chosen.hidden.split(" "));
}

function parse(text) {
  try {
    const saved = JSON.parse(text) ?? {};
    // What another version has saved may be anything.
    return Object.fromEntries(Object.entries(saved).filter(([name, value]) => typeof value === typeof DEFAULTS[name]));
  } catch {
    return {};
  }
}
