// Texts of any length: at first only their beginning, because a megabyte would push everything else away.

import { button, cut, element } from "./dom.js";
import { visibleText } from "./visible.js";

const FIRST_LINES = 200;
/** The whole text is shown in parts of this size, of which the browser lays out only those in view. */
const PART_LINES = 500;
const PART_CHARACTERS = 20_000;

/**
 * Fills `holder` with the text, as `show` makes it visible, or with about its first `limit` characters. Returns the button
 * that shows the rest, or null.
 */
export function fillWithText(holder, text, limit, show = visibleText) {
  const lines = countLines(text);
  if (lines <= FIRST_LINES && text.length <= limit) {
    holder.append(show(text));
    return null;
  }
  const [number, unit] = lines > FIRST_LINES ? [lines, "lines"] : [text.length, "characters"];
  const all = button(`Show all ${number.toLocaleString("en")} ${unit}`, "button show-all", () => {
    all.remove();
    showWhole(holder, text);
  });
  holder.append(visibleText(cut(text, Math.min(endOfLines(text, 0, FIRST_LINES), limit))));
  return all;
}

function showWhole(holder, text) {
  const parts = document.createDocumentFragment();
  for (let start = 0; start < text.length; ) {
    const end = endOfPart(text, start);
    const part = element("span", { class: "part-of-text" }, visibleText(text.slice(start, end)));
    part.style.containIntrinsicBlockSize = `auto ${countLines(text.slice(start, end))}lh`;
    parts.append(part);
    start = end;
  }
  holder.replaceChildren(parts);
  // The text scrolls by itself, also by keyboard.
  holder.tabIndex = 0;
  holder.focus({ preventScroll: true });
}

function endOfPart(text, start) {
  const end = endOfLines(text, start, PART_LINES);
  if (end - start <= PART_CHARACTERS) return end;
  const space = text.lastIndexOf(" ", start + PART_CHARACTERS);
  if (space > start) return space + 1;
  const isSurrogatePair = /^[\uD800-\uDBFF]/.test(text[start + PART_CHARACTERS - 1]);
  return start + PART_CHARACTERS - (isSurrogatePair ? 1 : 0);
}

/** The index after the given number of lines. */
function endOfLines(text, start, lines) {
  let end = start;
  for (let line = 0; line < lines; line += 1) {
    const next = text.indexOf("\n", end);
    if (next === -1) return text.length;
    end = next + 1;
  }
  return end;
}

function countLines(text) {
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
