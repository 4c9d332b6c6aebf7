// The metadata of an open row: as a tree with a search, or as JSON.

import { button, element } from "./dom.js";
import { fillWithText } from "./long_text.js";
import { matchingValues, metadataTree } from "./metadata_tree.js";
import { load, save } from "./storage.js";
import { nodesUpTo } from "./tree.js";

const KEY = "metadata-view";
/** How much JSON is shown at first. */
const JSON_CHARACTERS = 10_000;
/** With fewer values, a reader finds one without a search. */
const SEARCH_FROM = 8;
const TYPING_MS = 150;

/** A part of the details. `pick(member)` says what a click on a value of that member does. */
export function metadataOf({ metadata }, pick) {
  const body = element("div", { class: "metadata-body" });
  const find = element("input", {
    type: "search", class: "metadata-find", placeholder: "Find in metadata", "aria-label": "Find in metadata", autocomplete: "off",
    spellcheck: "false",
  });
  find.hidden = true;
  const toggle = button("", "link", () => {
    save(KEY, isJson() ? null : "json");
    show();
  });
  const show = () => {
    toggle.textContent = isJson() ? "As tree" : "As JSON";
    find.hidden = isJson() || nodesUpTo(metadata, SEARCH_FROM) < SEARCH_FROM;
    find.value = "";
    body.replaceChildren(...(isJson() ? jsonOf(metadata) : [metadataTree(metadata, pick)]));
  };
  let typing = null;
  find.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const sought = find.value.trim();
      const tree = sought === "" ? metadataTree(metadata, pick) : matchingValues(metadata, sought, pick);
      body.replaceChildren(tree);
    }, TYPING_MS);
  });
  show();
  return element(
    "div",
    { class: "metadata-view" },
    element("div", { class: "metadata-top" }, element("h3", {}, "Metadata"), find, toggle),
    body,
  );
}

function isJson() {
  return load(KEY) === "json";
}

function jsonOf(metadata) {
  const text = element("pre", { tabindex: "0", "aria-label": "Metadata" });
  const rest = fillWithText(text, JSON.stringify(metadata, null, 2), JSON_CHARACTERS);
  return rest === null ? [text] : [text, rest];
}
