// One entry: a row in the list that opens to the details.

import { detailsOf } from "./details.js";
import { element, icon } from "./dom.js";
import { exact, relative } from "./time.js";
import { spelled, visibleLine } from "./visible.js";

const SEVERITIES = { info: "Info", warning: "Warning", error: "Error" };

/** The list item of an entry. The "Only …" and "Hide …" buttons call `narrow` with their filters. */
export function entryRow(entry, narrow) {
  if (entry.unreadable) return unreadableRow(entry.seq);
  const details = `details-${entry.seq}`;
  const row = element(
    "button",
    { type: "button", class: "row", id: `entry-${entry.seq}`, "aria-expanded": "false", "aria-controls": details },
    severityMark(entry.severity),
    timeOf(entry),
    categoryMark(entry.category),
    cell("actor", entry.actor),
    cell("action", entry.action),
    cell("message", entry.message),
    entityCell(entry),
    icon("chevron"),
  );
  const item = element("li", { class: `entry ${severityName(entry.severity)}` }, row);
  item.dataset.seq = entry.seq;
  row.addEventListener("click", () => {
    // A click that ends a text selection is not meant to open the row.
    if (row.getAttribute("aria-expanded") === "false" && selectsWithin(row)) return;
    toggle(item, row, entry, details, narrow);
  });
  return item;
}

/** The list item of a row that the server cannot read. It takes the focus as the others do, and opens to nothing. */
function unreadableRow(seq) {
  const text = `The entry with sequence ${seq} is stored but cannot be read.`;
  const item = element("li", { class: "entry unreadable" }, element("div", { class: "row", tabindex: "0" }, text));
  item.dataset.seq = seq;
  return item;
}

/** Closes the row that contains `target`, if it is open, and focuses its button. */
export function closeRowOf(target) {
  const row = target.closest(".entry")?.querySelector(".row[aria-expanded=true]");
  if (!row) return;
  row.click();
  row.focus();
}

/** Updates the relative times in a list. */
export function refreshTimes(rows) {
  const now = Date.now();
  for (const time of rows.querySelectorAll("time.when")) {
    const text = relative(time.dateTime, now);
    if (time.textContent !== text) time.textContent = text;
  }
}

export function severityMark(severity) {
  const name = severityName(severity);
  return element("span", { class: `severity ${name}` }, icon(name), SEVERITIES[name]);
}

function severityName(severity) {
  return Object.hasOwn(SEVERITIES, severity) ? severity : "info";
}

function selectsWithin(row) {
  const selection = getSelection();
  return !selection.isCollapsed && row.contains(selection.anchorNode);
}

function categoryMark(category) {
  return element("span", { class: "category", title: spelled(category) }, visibleLine(category, 60));
}

function timeOf(entry) {
  return element("time", { class: "when", datetime: entry.ts, title: exact(entry.ts) }, relative(entry.ts));
}

function cell(name, text) {
  return element("span", { class: name, title: spelled(text, 1000) }, visibleLine(text));
}

function entityCell(entry) {
  const { entity_type: type, entity_id: id, entity_name: name } = entry;
  if (type === null && id === null && name === null) return element("span", { class: "entity" });
  const label = name ?? id;
  return element(
    "span",
    { class: "entity", title: [type, name, id].filter((part) => part !== null).map((part) => spelled(part, 300)).join(" · ") },
    type === null ? null : element("span", { class: "entity-type" }, visibleLine(type, 60)),
    label === null ? null : element("span", { class: "entity-name" }, visibleLine(label, 100)),
  );
}

function toggle(item, row, entry, id, narrow) {
  const opens = row.getAttribute("aria-expanded") === "false";
  row.setAttribute("aria-expanded", String(opens));
  item.classList.toggle("open", opens);
  if (opens) item.append(detailsOf(entry, id, narrow));
  else item.querySelector(".details")?.remove();
}
