// The filters in use that no chip above shows: chips that each remove one.

import { button, element, icon } from "./dom.js";
import { spanLabel, timeLabel } from "./labels.js";
import { membersOf } from "./members.js";
import { presetOf } from "./presets.js";
import { spelled, visibleLine } from "./visible.js";

/** Beyond this number, the values of one filter share a chip. */
const MAX_CHIPS = 8;

/** The chips; each calls `ask(filters)` with the filters that are left. */
export function activeChips(filters, ask) {
  const { entity_type, entity_id, since, until, message_contains: text } = filters;
  const active = [
    text === "" ? null : ["Text", text, { message_contains: "" }],
    ...each(filters, "exclude_categories", "Not category"),
    ...each(filters, "exclude_severities", "Not severity"),
    ...each(filters, "actions", "Action"),
    ...each(filters, "exclude_actions", "Not action"),
    ...each(filters, "actors", "Actor"),
    ...each(filters, "exclude_actors", "Not actor"),
    entity_type === "" ? null : ["Entity type", entity_type, { entity_type: "" }],
    ...each(filters, "exclude_entity_types", "Not entity type"),
    entity_id === "" ? null : ["Entity id", entity_id, { entity_id: "" }],
    ...membersOf(filters.metadata).map(({ text, without }) => ["Metadata", text, { metadata: without }]),
    (since === "" || presetOf(since)) && until === "" ? null : ["Time", window(since, until), { since: "", until: "" }],
  ];
  return active.filter((filter) => filter !== null).map(([name, value, without]) => {
    const chip = button("", "chip removable", () => ask({ ...filters, ...without }));
    const shown = element("span", {}, visibleLine(value, 60));
    chip.replaceChildren(element("span", { class: "chip-name" }, name), " ", shown, icon("close"));
    chip.classList.toggle("excluding", name.startsWith("Not "));
    chip.setAttribute("aria-label", `${name} ${spelled(value, 60)}: remove this filter`);
    chip.dataset.chip = `remove ${name} ${value}`;
    return chip;
  });
}

function each(filters, list, name) {
  const values = filters[list];
  if (values.length > MAX_CHIPS) return [[name, values.join(", "), { [list]: [] }]];
  return values.map((value) => [name, value, { [list]: values.filter((other) => other !== value) }]);
}

function window(since, until) {
  const preset = presetOf(since);
  const start = preset === undefined ? `since ${timeLabel(since)}` : `the last ${preset.label}`;
  if (since === "") return `until ${timeLabel(until)}`;
  if (until === "") return start;
  return preset === undefined ? spanLabel(since, until) : `${start}, until ${timeLabel(until)}`;
}
