// Changed fields, before and after: metadata of the form `{ "changed": { field: { "from": …, "to": … } } }`.

import { element } from "./dom.js";
import { fillWithText } from "./long_text.js";
import { visibleLine } from "./visible.js";

const MAX_FIELDS = 50;
const VALUE_CHARACTERS = 400;

/** A table of what changed, or null when the metadata does not say so. */
export function changesTable(metadata) {
  const { changed } = metadata;
  if (!isObject(changed)) return null;
  const fields = Object.entries(changed);
  if (fields.length === 0 || !fields.every(([, change]) => isChange(change))) return null;
  const rows = fields.slice(0, MAX_FIELDS).map(([field, change]) => {
    const name = element("th", { scope: "row" }, visibleLine(field, 100));
    return element("tr", {}, name, valueCell(change, "from"), valueCell(change, "to"));
  });
  const more = fields.length - rows.length;
  const columns = ["Field", "Before", "After"].map((name) => element("th", { scope: "col" }, name));
  return element(
    "table",
    { class: "changes" },
    more === 0 ? null : element("caption", {}, `${more.toLocaleString("en")} more fields are in the metadata.`),
    element("thead", {}, element("tr", {}, ...columns)),
    element("tbody", {}, ...rows),
  );
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isChange(change) {
  if (!isObject(change)) return false;
  const sides = Object.keys(change);
  return sides.length > 0 && sides.every((side) => side === "from" || side === "to");
}

function valueCell(change, side) {
  if (!Object.hasOwn(change, side)) return element("td", { class: "not-set" }, "not set");
  const value = change[side];
  const cell = element("td", { class: typeof value === "string" ? side : `${side} mono` });
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const rest = fillWithText(cell, text, VALUE_CHARACTERS, (short) => visibleLine(short, Infinity));
  if (rest !== null) cell.append(rest);
  return cell;
}
