// The details of an entry, which its row opens to.

import { changesTable } from "./changes.js";
import { copyAndSay, copyButton } from "./copy.js";
import { curlOfEntry } from "./curl.js";
import { button, element } from "./dom.js";
import { hashOf } from "./entry_link.js";
import { fillWithText } from "./long_text.js";
import { isFilterable } from "./members.js";
import { metadataOf } from "./metadata.js";
import { picksOf } from "./picks.js";
import { exact } from "./time.js";
import { spelled, visibleLine, visibleText } from "./visible.js";

/** How much of a longer text is shown at first. */
const FIELD_CHARACTERS = 1_000;

/** Everything that is stored of the entry. `hooks`: narrow(filters) adds filters, showOnly(filters) replaces all. */
export function detailsOf(entry, id, hooks) {
  const address = `${location.pathname}${hashOf(entry)}`;
  const changes = changesTable(entry.metadata);
  const fields = [
    ["Message", entry.message, "full-message"],
    ["Action", entry.action, "mono"],
    ["Actor", entry.actor],
    ["Category", entry.category],
    ["Entity type", entry.entity_type],
    ["Entity id", entry.entity_id, "mono"],
    ["Entity name", entry.entity_name],
    ["Time", element("time", { class: "exact", datetime: entry.ts }, exact(entry.ts))],
    ["In UTC", entry.ts, "mono"],
    ["Id", entry.id, "mono"],
  ];
  const list = element("dl", { class: "fields-of" });
  for (const [name, value, className] of fields) {
    if (value === null) continue;
    const shown = element("dd", { class: className ?? null });
    list.append(element("div", {}, element("dt", {}, name), shown));
    if (typeof value !== "string") {
      shown.append(value);
      continue;
    }
    const show = name === "Message" ? visibleText : (text) => visibleLine(text, Infinity);
    const rest = fillWithText(shown, value, FIELD_CHARACTERS, show);
    if (rest !== null) shown.append(rest);
  }
  const link = element("a", { class: "permalink", href: address }, String(entry.seq));
  list.append(element("div", {}, element("dt", {}, "Sequence number"), element("dd", { class: "mono" }, link)));
  return element(
    "div",
    { class: "details", id, role: "group", "aria-label": `Entry ${entry.seq}` },
    list,
    element(
      "div",
      { class: "metadata" },
      ...(changes === null ? [] : [element("h3", {}, "Changes"), scrolling(changes, "Changes")]),
      metadataOf(entry, (member) => clickOn(member, hooks)),
    ),
    element(
      "div",
      { class: "details-actions" },
      copyButton("Copy as JSON", () => JSON.stringify(entry, null, 2)),
      copyButton("Copy as curl", () => curlOfEntry(entry)),
      copyButton("Copy link", () => new URL(address, location.href).href),
      ...hostLinks(entry),
      ...filterButtons(entry, hooks),
    ),
  );
}

/** What is shown in a box that scrolls, also by keyboard. */
function scrolling(shown, label) {
  return element("div", { class: "changes-box", tabindex: "0", role: "group", "aria-label": label }, shown);
}

/** Links to the host's own pages. */
function hostLinks({ actor, entity_type, entity_id, entity_name, links = {} }) {
  const linked = [
    [actor, links.actor],
    [entity_name || `${entity_type} ${entity_id}`, links.entity],
  ];
  return linked
    .filter(([, address]) => address !== undefined)
    .map(([name, address]) => element("a", { class: "button quiet", href: address }, "Open ", visibleLine(name, 60)));
}

/** What a click on a value of this member of the metadata does. */
function clickOn(member, { narrow }) {
  return isFilterable(member)
    ? { title: `Only entries with the same “${spelled(member[0], 60)}”`, act: () => narrow({ member }) }
    : { title: "Copy this: entries cannot be filtered by it", act: copyAndSay };
}

function filterButtons(entry, { narrow, showOnly }) {
  const labelled = (verb, text, filters, by) => {
    if (!filters) return null;
    const made = button(`${verb} `, "button quiet", () => by(filters));
    // A space at its beginning shows only where the text stands alone.
    made.append(visibleLine(text, 60));
    return made;
  };
  const picks = picksOf(entry);
  const entity = `${entry.entity_type} ${entry.entity_id}`;
  // A name alone would not tell which of them a button is for.
  const [anActor, aCategory] = entry.actor === entry.category ? [" actor", " category"] : ["", ""];
  const buttons = [
    labelled(`Only${anActor}`, entry.actor, picks.actor, narrow),
    labelled(`Only${aCategory}`, entry.category, picks.category, narrow),
    labelled("Only", entry.action, picks.action, narrow),
    labelled("Only", entity, picks.entity, narrow),
    labelled("History of", entity, picks.entity, showOnly),
    labelled("Hide", entry.actor, picks.actor && { exclude_actors: [entry.actor] }, narrow),
    labelled("Hide", entry.action, picks.action && { exclude_actions: [entry.action] }, narrow),
  ];
  return buttons.filter((made) => made !== null);
}
