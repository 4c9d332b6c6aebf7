// The fields whose values the reader picks from a menu, and how a pick changes the filters.

import { NO_FILTERS } from "./filters.js";

/** By the server's name of each: `only` is the filter for its values, and `except` the one against them. */
export const FACETS = [
  { by: "severity", label: "Severity", only: "severities", except: "exclude_severities", example: "" },
  { by: "category", label: "Category", only: "categories", except: "exclude_categories", example: "" },
  { by: "action", label: "Action", only: "actions", except: "exclude_actions", example: " or type user.*" },
  { by: "actor", label: "Actor", only: "actors", except: "exclude_actors", example: "" },
  { by: "entity_type", label: "Entity", only: "entity_type", except: "exclude_entity_types", isSingle: true, example: "" },
];

/** The values that the filters ask for. */
export function chosen(filters, { only, isSingle }) {
  if (!isSingle) return filters[only];
  return filters[only] === "" ? [] : [filters[only]];
}

export function excluded(filters, { except }) {
  return filters[except];
}

/** The filters with the value asked for, or no longer asked for. */
export function toggleOnly(filters, facet, value) {
  const { only, except, isSingle } = facet;
  const values = chosen(filters, facet);
  const next = toggle(values, value);
  return {
    ...filters,
    [only]: isSingle ? (next.find((other) => !values.includes(other)) ?? "") : next,
    [except]: filters[except].filter((other) => other !== value),
  };
}

/** The filters with the value excluded, or no longer excluded. */
export function toggleExcept(filters, facet, value) {
  const { only, except, isSingle } = facet;
  const rest = chosen(filters, facet).filter((other) => other !== value);
  return { ...filters, [only]: isSingle ? (rest[0] ?? "") : rest, [except]: toggle(filters[except], value) };
}

/** The filters without those of the facet, so that its menu offers what else could be chosen. */
export function withoutFacet(filters, { only, except }) {
  return { ...filters, [only]: NO_FILTERS[only], [except]: [] };
}

function toggle(values, value) {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}
