// The fields whose values the reader picks from a menu, and how a pick changes the filters.

import { NO_FILTERS } from "./filters.js";

/** By the server's name of each: `only` is the filter for its values, and `except` the one against them. */
export const FACETS = [
  { by: "severity", label: "Severity", only: "severities", except: "exclude_severities", example: "" },
  { by: "category", label: "Category", only: "categories", except: "exclude_categories", example: "" },
  { by: "action", label: "Action", only: "actions", except: "exclude_actions", example: " or type user.*" },
  { by: "actor", label: "Actor", only: "actors", except: "exclude_actors", example: "" },
  { by: "entity_type", label: "Entity", only: "entity_type", isSingle: true, example: "" },
];

/** The values that the filters ask for. */
export function chosen(filters, { only, isSingle }) {
  if (!isSingle) return filters[only];
  return filters[only] === "" ? [] : [filters[only]];
}

export function excluded(filters, { except }) {
  return except === undefined ? [] : filters[except];
}

/** The filters with the value asked for, or no longer asked for. */
export function toggleOnly(filters, facet, value) {
  const { only, except, isSingle } = facet;
  const values = chosen(filters, facet);
  const next = toggle(values, value);
  const without = except === undefined ? {} : { [except]: filters[except].filter((other) => other !== value) };
  return { ...filters, ...without, [only]: isSingle ? (next.find((other) => !values.includes(other)) ?? "") : next };
}

/** The filters with the value excluded, or no longer excluded. */
export function toggleExcept(filters, { only, except }, value) {
  const rest = filters[only].filter((other) => other !== value);
  return { ...filters, [only]: rest, [except]: toggle(filters[except], value) };
}

/** The filters without those of the facet, so that its menu offers what else could be chosen. */
export function withoutFacet(filters, { only, except }) {
  return { ...filters, [only]: NO_FILTERS[only], ...(except === undefined ? {} : { [except]: [] }) };
}

function toggle(values, value) {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}
