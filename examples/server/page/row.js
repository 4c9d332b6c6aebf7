// One entry: a row in the list that opens to the details.

import { announce, button, cut, element, icon } from "./dom.js";
import { exact, relative } from "./time.js";

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
  return element("span", { class: "category", title: cut(category) }, cut(category, 60));
}

function timeOf(entry) {
  return element("time", { class: "when", datetime: entry.ts, title: exact(entry.ts) }, relative(entry.ts));
}

function cell(name, text) {
  return element("span", { class: name, title: cut(text, 1000) }, cut(text));
}

function entityCell(entry) {
  const { entity_type: type, entity_id: id, entity_name: name } = entry;
  if (type === null && id === null && name === null) return element("span", { class: "entity" });
  const label = name ?? id;
  return element(
    "span",
    { class: "entity", title: cut([type, name, id].filter((part) => part !== null).join(" · "), 1000) },
    type === null ? null : element("span", { class: "entity-type" }, cut(type, 60)),
    label === null ? null : element("span", { class: "entity-name" }, cut(label, 100)),
  );
}

function toggle(item, row, entry, id, narrow) {
  const opens = row.getAttribute("aria-expanded") === "false";
  row.setAttribute("aria-expanded", String(opens));
  item.classList.toggle("open", opens);
  if (opens) item.append(detailsOf(entry, id, narrow));
  else item.querySelector(".details")?.remove();
}

function detailsOf(entry, id, narrow) {
  const metadata = JSON.stringify(entry.metadata, null, 2);
  const fields = [
    ["Message", entry.message, "full-message"],
    ["Action", entry.action, "mono"],
    ["Actor", entry.actor],
    ["Category", entry.category],
    ["Entity type", entry.entity_type],
    ["Entity id", entry.entity_id, "mono"],
    ["Entity name", entry.entity_name],
    ["Time", exact(entry.ts), "mono"],
    ["In UTC", entry.ts, "mono"],
    ["Id", entry.id, "mono"],
    ["Sequence", String(entry.seq), "mono"],
  ];
  const list = element("dl", { class: "fields-of" });
  for (const [name, value, className] of fields) {
    if (value === null) continue;
    list.append(element("div", {}, element("dt", {}, name), element("dd", { class: className ?? null }, value)));
  }
  return element(
    "div",
    { class: "details", id, role: "region", "aria-label": `Entry ${entry.seq}` },
    list,
    element(
      "div",
      { class: "metadata" },
      element("h3", {}, "Metadata"),
      element("pre", { tabindex: "0", "aria-label": "Metadata" }, metadata),
    ),
    element("div", { class: "details-actions" }, copyButton(entry), ...narrowingButtons(entry, narrow)),
  );
}

function narrowingButtons(entry, narrow) {
  const narrowing = (label, filters) => button(cut(label, 60), "button quiet", () => narrow(filters));
  const { entity_type, entity_id } = entry;
  const buttons = [
    entry.actor === "" ? null : narrowing(`Only ${entry.actor}`, { actor: entry.actor }),
    entry.category === "" ? null : narrowing(`Only ${entry.category}`, { categories: [entry.category] }),
    entry.actor === "" ? null : narrowing(`Hide ${entry.actor}`, { exclude_actors: [entry.actor] }),
    !entity_type || !entity_id ? null : narrowing(`Only ${entity_type} ${entity_id}`, { entity_type, entity_id }),
  ];
  return buttons.filter((made) => made !== null);
}

function copyButton(entry) {
  const copy = button("Copy as JSON", "button", async () => {
    const copied = await copyText(JSON.stringify(entry, null, 2));
    copy.textContent = copied ? "Copied" : "Not copied: the browser does not allow it";
    announce(copy.textContent);
    setTimeout(() => {
      copy.textContent = "Copy as JSON";
    }, 2000);
  });
  return copy;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** A fallback: the clipboard API exists only over HTTPS and on localhost, and the browser may deny access to it. */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = element("textarea", { class: "unseen", readonly: "" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
