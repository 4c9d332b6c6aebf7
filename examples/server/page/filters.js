// The filters. The page's address holds them as the server's parameters, so a view can be shared as a link.

const LISTS = ["categories", "severities"];
const TEXTS = ["actor", "entity_type", "entity_id", "since", "until", "q"];

export const NO_FILTERS = Object.freeze({
  categories: [],
  severities: [],
  actor: "",
  entity_type: "",
  entity_id: "",
  since: "",
  until: "",
  q: "",
});

/** The filters in the query string of an address; unknown parameters are ignored. */
export function fromSearch(search) {
  const parameters = new URLSearchParams(search);
  const filters = { ...NO_FILTERS };
  for (const name of LISTS) {
    const items = (parameters.get(name) ?? "").split(",").map((item) => item.trim());
    filters[name] = [...new Set(items.filter((item) => item !== ""))];
  }
  for (const name of TEXTS) filters[name] = parameters.get(name) ?? "";
  // In a hand-written link, the plus of an offset decodes to a space.
  for (const name of ["since", "until"]) filters[name] = filters[name].replace(/ (\d\d:\d\d)$/, "+$1");
  return filters;
}

export function toParameters(filters) {
  const parameters = new URLSearchParams();
  for (const name of LISTS) {
    if (filters[name].length > 0) parameters.set(name, filters[name].join(","));
  }
  for (const name of TEXTS) {
    if (filters[name] !== "") parameters.set(name, filters[name]);
  }
  return parameters;
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

/** Whether a category can be a filter: the server splits the list at commas and trims its items. */
export function canFilterBy(category) {
  return category !== "" && !category.includes(",") && category.trim() === category;
}
