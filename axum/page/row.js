// One entry: a row in the list that opens to the details.

import { detailsOf } from "./details.js";
import { element, icon } from "./dom.js";
import { picksOf } from "./picks.js";
import { exact, rowTime } from "./time.js";
import { spelled, visibleLine } from "./visible.js";

const SEVERITIES = { info: "Info", warning: "Warning", error: "Error" };

/**
 * The list item of an entry. `hooks`: narrow(filters) adds filters, showOnly(filters) replaces all. `prefix` tells its ids
 * from those of the same entry elsewhere on the page.
 */
export function entryRow(entry, hooks, prefix = "") {
  if (entry.unreadable) return unreadableRow(entry.seq);
  const details = `${prefix}details-${entry.seq}`;
  const row = element(
    "button",
    { type: "button", class: "row", id: `${prefix}row-${entry.seq}`, "aria-expanded": "false", "aria-controls": details },
    severityMark(entry.severity),
    timeOf(entry),
    cell("message", entry.message),
    cell("actor", entry.actor, { pick: entry.actor !== "" }),
    cell("action", entry.action, { pick: entry.action !== "" }),
    categoryMark(entry.category),
    entityCell(entry),
    icon("chevron"),
  );
  const item = element("li", { class: `entry ${severityName(entry.severity)}` }, row);
  item.dataset.seq = entry.seq;
  row.addEventListener("click", (event) => {
    // A finger cannot hover over a word to see what a click on it does, so it opens the row.
    const pick = event.pointerType === "touch" ? null : event.target.closest(".pick");
    if (pick !== null && !selectsWithin(row)) {
      hooks.narrow(picksOf(entry)[pick.dataset.pick]);
      return;
    }
    // A click that ends a text selection is not meant to open the row.
    if (row.getAttribute("aria-expanded") === "false" && selectsWithin(row)) return;
    toggle(item, row, entry, details, hooks);
  });
  return item;
}

/** The list item of a row that the server cannot read. It takes the focus as the others do, and opens to nothing. */
function unreadableRow(seq) {
  const text = `Entry ${seq} is stored but cannot be read.`;
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

/** Updates the times in a list, because they age. */
export function refreshTimes(rows) {
  const now = Date.now();
  for (const time of rows.querySelectorAll("time")) {
    const text = time.matches(".exact") ? exact(time.dateTime) : rowTime(time.dateTime, now);
    if (time.textContent !== text) time.textContent = text;
  }
}

/** Shows the times in a list as the reader wants to see them now. */
export function redrawTimes(rows) {
  refreshTimes(rows);
  for (const time of rows.querySelectorAll("time.when")) time.title = exact(time.dateTime);
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
  return element("time", { class: "when", datetime: entry.ts, title: exact(entry.ts) }, rowTime(entry.ts));
}

/** With `pick`, a click on the text of the cell filters by it. */
function cell(name, text, { pick = false } = {}) {
  const shown = visibleLine(text);
  return element("span", { class: name, title: spelled(text, 1000) }, pick ? pickable(name, shown) : shown);
}

function entityCell(entry) {
  const { entity_type: type, entity_id: id, entity_name: name } = entry;
  if (type === null && id === null && name === null) return element("span", { class: "entity" });
  const label = name ?? id;
  const shown = [
    type === null ? null : element("span", { class: "entity-type" }, visibleLine(type, 60)),
    label === null ? null : element("span", { class: "entity-name" }, visibleLine(label, 100)),
  ].filter((part) => part !== null);
  const title = [type, name, id].filter((part) => part !== null).map((part) => spelled(part, 300)).join(" · ");
  const parts = picksOf(entry).entity === null ? shown : [pickable("entity", ...shown)];
  return element("span", { class: "entity", title }, ...parts);
}

function pickable(name, ...shown) {
  const made = element("span", { class: "pick" }, ...shown);
  made.dataset.pick = name;
  return made;
}

function toggle(item, row, entry, id, hooks) {
  const opens = row.getAttribute("aria-expanded") === "false";
  row.setAttribute("aria-expanded", String(opens));
  item.classList.toggle("open", opens);
  if (opens) item.append(detailsOf(entry, id, hooks));
  else item.querySelector(".details")?.remove();
  item.dispatchEvent(new Event("entrytoggle", { bubbles: true }));
}
