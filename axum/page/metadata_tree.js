// The tree of the metadata. What holds other values opens to them, and no more is drawn than what is open.

import { button, element } from "./dom.js";
import { isContainer, nodesUpTo, textOf, valuesWith } from "./tree.js";
import { visibleLine } from "./visible.js";

/** How many values are drawn at once. */
const PART = 100;
/** What holds up to this many values is open from the beginning. */
const OPEN_NODES = 12;
const VALUE_CHARACTERS = 400;

/** `pick([key, value])` says what a click on a value of that member does: `{ title, act(text, what was clicked) }`. */
export function metadataTree(root, pick) {
  const tree = element("div", { class: "tree", role: "group", "aria-label": "Metadata" });
  if (Object.keys(root).length === 0) tree.append(element("p", { class: "note" }, "None"));
  else tree.append(childrenOf(root, null, pick));
  return tree;
}

/** The values that match, each with its path. */
export function matchingValues(root, term, pick) {
  const tree = element("div", { class: "tree", role: "group", "aria-label": "Metadata" });
  let count = 0;
  for (const { path, value, member } of valuesWith(root, term)) {
    count += 1;
    if (count <= PART) tree.append(leaf(path, value, pick(member)));
  }
  const more = count > PART ? `, first ${PART} shown` : "";
  const matches = `${count.toLocaleString("en")} ${count === 1 ? "match" : "matches"}${more}`;
  tree.append(element("p", { class: "note", role: "status" }, matches));
  return tree;
}

/** The values in an object, or in the array of a member. */
function childrenOf(container, member, pick) {
  const list = element("div", { class: "branch" });
  const keys = Object.keys(container);
  const isArray = Array.isArray(container);
  const pickOfArray = isArray ? pick(member) : null;
  const child = (key) => {
    const value = container[key];
    const own = isArray ? member : [key, value];
    return isContainer(value) ? branch(key, value, own, pick) : leaf(key, value, pickOfArray ?? pick(own));
  };
  let shown = 0;
  const showPart = () => {
    const part = keys.slice(shown, shown + PART).map(child);
    shown += part.length;
    list.append(...part);
    const rest = keys.length - shown;
    if (rest === 0) return;
    const more = button(`Show more (${rest.toLocaleString("en")} left)`, "link", () => {
      more.remove();
      const last = list.lastElementChild;
      showPart();
      last.nextElementSibling?.querySelector("button, summary")?.focus();
    });
    list.append(more);
  };
  showPart();
  return list;
}

function branch(key, value, member, pick) {
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const size = element("span", { class: "size" }, `${open}${Object.keys(value).length.toLocaleString("en")}${close}`);
  const name = element("span", { class: "key" }, visibleLine(key, 100));
  const made = element("details", {}, element("summary", {}, name, " ", size));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(childrenOf(value, member, pick));
  });
  made.open = nodesUpTo(value, OPEN_NODES + 1) <= OPEN_NODES;
  return made;
}

function leaf(key, value, { title, act }) {
  const text = textOf(value);
  const shown = button("", `value ${typeof value === "string" ? "text" : "other"}`, () => act(text, shown));
  shown.replaceChildren(visibleLine(text, VALUE_CHARACTERS));
  shown.title = title;
  return element("div", { class: "leaf" }, element("span", { class: "key" }, visibleLine(key, 200)), " ", shown);
}
