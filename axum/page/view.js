// How the reader wants to see the log. The browser remembers it.

import { load, save } from "./storage.js";

const KEY = "view";
const DEFAULTS = { zone: "local", times: "relative" };
const chosen = { ...DEFAULTS, ...parse(load(KEY)) };

/** The present choices: `zone` is `local` or `utc`, `times` is `relative` or `absolute`. */
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
  dataset.zone = chosen.zone;
  dataset.times = chosen.times;
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
