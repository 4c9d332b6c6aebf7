// The tree of the metadata. What holds other values opens to them, and no more is drawn than what is open.

import { button, element } from "./dom.js";
import { isContainer, nodesUpTo, textOf, valuesWith } from "./tree.js";
import { visibleLine } from "./visible.js";

/** How many values are drawn at once. */
const PART = 100;
/** What holds up to this many values is open from the beginning. */
const OPEN_NODES = 12;
const VALUE_CHARACTERS = 400;

/** `pick(text)` says what a click on a value does: `{ title, act(what was clicked) }`. */
export function metadataTree(root, pick) {
  const tree = element("div", { class: "tree", role: "group", "aria-label": "Metadata" });
  if (Object.keys(root).length === 0) tree.append(element("p", { class: "note" }, "None"));
  else tree.append(childrenOf(root, pick));
  return tree;
}

/** The values that match, each with its path. */
export function matchingValues(root, term, pick) {
  const tree = element("div", { class: "tree", role: "group", "aria-label": "Metadata" });
  let count = 0;
  for (const { path, value } of valuesWith(root, term)) {
    count += 1;
    if (count <= PART) tree.append(leaf(path, value, pick));
  }
  const more = count > PART ? `, first ${PART} shown` : "";
  const matches = `${count.toLocaleString("en")} ${count === 1 ? "match" : "matches"}${more}`;
  tree.append(element("p", { class: "note", role: "status" }, matches));
  return tree;
}

function childrenOf(container, pick) {
  const list = element("div", { class: "branch" });
  const keys = Object.keys(container);
  let shown = 0;
  const showPart = () => {
    const part = keys.slice(shown, shown + PART).map((key) => child(key, container[key], pick));
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

function child(key, value, pick) {
  return isContainer(value) ? branch(key, value, pick) : leaf(key, value, pick);
}

function branch(key, value, pick) {
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const size = element("span", { class: "size" }, `${open}${Object.keys(value).length.toLocaleString("en")}${close}`);
  const name = element("span", { class: "key" }, visibleLine(key, 100));
  const made = element("details", {}, element("summary", {}, name, " ", size));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(childrenOf(value, pick));
  });
  made.open = nodesUpTo(value, OPEN_NODES + 1) <= OPEN_NODES;
  return made;
}

function leaf(key, value, pick) {
  const text = textOf(value);
  const { title, act } = pick(text);
  const shown = button("", `value ${typeof value === "string" ? "text" : "other"}`, () => act(shown));
  shown.replaceChildren(visibleLine(text, VALUE_CHARACTERS));
  shown.title = title;
  return element("div", { class: "leaf" }, element("span", { class: "key" }, visibleLine(key, 200)), " ", shown);
}
