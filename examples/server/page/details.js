// The details of an entry, which its row opens to.

import { copyButton } from "./copy.js";
import { button, element } from "./dom.js";
import { fillWithText } from "./long_text.js";
import { exact } from "./time.js";
import { visibleLine, visibleText } from "./visible.js";

/** How much of a longer text is shown at first. The metadata has a box of a fixed height. */
const FIELD_CHARACTERS = 1_000;
const METADATA_CHARACTERS = 10_000;

/** Everything that is stored of the entry. The "Only …" and "Hide …" buttons call `narrow` with their filters. */
export function detailsOf(entry, id, narrow) {
  const metadata = element("pre", { tabindex: "0", "aria-label": "Metadata" });
  const rest = fillWithText(metadata, JSON.stringify(entry.metadata, null, 2), METADATA_CHARACTERS);
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
    const shown = element("dd", { class: className ?? null });
    const show = name === "Message" ? visibleText : (text) => visibleLine(text, Infinity);
    const rest = fillWithText(shown, value, FIELD_CHARACTERS, show);
    if (rest !== null) shown.append(rest);
    list.append(element("div", {}, element("dt", {}, name), shown));
  }
  return element(
    "div",
    { class: "details", id, role: "region", "aria-label": `Entry ${entry.seq}` },
    list,
    element("div", { class: "metadata" }, element("h3", {}, "Metadata"), metadata, rest),
    element("div", { class: "details-actions" }, copyButton("Copy as JSON", () => JSON.stringify(entry, null, 2)), ...narrowingButtons(entry, narrow)),
  );
}

function narrowingButtons(entry, narrow) {
  const narrowing = (label, filters) => button(visibleLine(label, 60), "button quiet", () => narrow(filters));
  const { entity_type, entity_id } = entry;
  const buttons = [
    entry.actor === "" ? null : narrowing(`Only ${entry.actor}`, { actor: entry.actor }),
    entry.category === "" ? null : narrowing(`Only ${entry.category}`, { categories: [entry.category] }),
    entry.actor === "" ? null : narrowing(`Hide ${entry.actor}`, { exclude_actors: [entry.actor] }),
    !entity_type || !entity_id ? null : narrowing(`Only ${entity_type} ${entity_id}`, { entity_type, entity_id }),
  ];
  return buttons.filter((made) => made !== null);
}
