// The filters. The page's address holds them as the server's parameters, so a view can be shared as a link.

import { membersOf } from "./members.js";
import { resolved } from "./presets.js";

const LISTS = [
  "categories", "exclude_categories", "severities", "exclude_severities", "actions", "exclude_actions", "actors",
  "exclude_actors", "exclude_entity_types",
];
const TEXTS = ["entity_type", "entity_id", "since", "until", "message_contains", "metadata"];

export const NO_FILTERS = Object.freeze({
  categories: [],
  exclude_categories: [],
  severities: [],
  exclude_severities: [],
  actions: [],
  exclude_actions: [],
  actors: [],
  exclude_actors: [],
  entity_type: "",
  exclude_entity_types: [],
  entity_id: "",
  since: "",
  until: "",
  message_contains: "",
  metadata: "",
});

/** The filters in the query string of an address; unknown parameters are ignored. */
export function fromSearch(search) {
  const parameters = new URLSearchParams(search);
  const filters = { ...NO_FILTERS };
  for (const name of LISTS) {
    // As the server reads them: `\,` is a comma within an item.
    const items = parameters.getAll(name).flatMap((list) => list.split(/(?<!\\),/));
    filters[name] = [...new Set(items.map((item) => item.replaceAll("\\,", ",")).filter((item) => item !== ""))];
  }
  for (const name of TEXTS) filters[name] = parameters.get(name) ?? "";
  if (membersOf(filters.metadata).length === 0) filters.metadata = "";
  const actor = parameters.get("actor") ?? "";
  if (actor !== "") filters.actors = [actor];
  // In a hand-written link, the plus of an offset decodes to a space.
  for (const name of ["since", "until"]) filters[name] = filters[name].replace(/ (\d\d:\d\d)$/, "+$1");
  return filters;
}

export function toParameters(filters) {
  const parameters = new URLSearchParams();
  const { actors } = filters;
  for (const name of LISTS) {
    if (name === "actors" && actors.length === 1) continue;
    // One parameter for each item, because a backslash at the end of an item would escape a comma after it.
    for (const item of filters[name]) parameters.append(name, item.replaceAll(",", "\\,"));
  }
  // A list would lose spaces around the actor.
  if (actors.length === 1) parameters.set("actor", actors[0]);
  for (const name of TEXTS) {
    if (filters[name] !== "") parameters.set(name, filters[name]);
  }
  return parameters;
}

/** The parameters for the server, which knows only absolute times. */
export function toRequest(filters) {
  return toParameters({ ...filters, since: resolved(filters.since) });
}

/** The query string of the address that shows these filters. */
export function toSearch(filters) {
  return toParameters(filters).toString();
}

export function isUnfiltered(filters) {
  return toSearch(filters) === "";
}

/** The filters with one item of a list added or removed. */
export function toggled(filters, list, item) {
  const items = filters[list];
  return { ...filters, [list]: items.includes(item) ? items.filter((other) => other !== item) : [...items, item] };
}

/** Whether the list consists of this one item. */
export function isOnly(filters, list, item) {
  return filters[list].length === 1 && filters[list][0] === item;
}
