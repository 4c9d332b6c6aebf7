// Makes characters visible that a reader cannot see, so that no text looks like another: those that reverse or hide text,
// control characters, and spaces at an end. A blank text says that it is blank.

import { cut, element } from "./dom.js";

/** Emoji contain such characters, and only as part of what is seen. */
const EMOJI = String.raw`\p{RGI_Emoji}`;
/** The spaces that prose uses, and the format characters that a font shows. */
const SHOWN = String.raw`[ \u00A0\u2009\u202F\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2]`;
const HIDDEN = String.raw`[[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\u2800]--${SHOWN}]`;
const IN_LINE = new RegExp(String.raw`${EMOJI}|(?<hidden>${HIDDEN}+|^\s+|\s+$)`, "gv");
const IN_TEXT = new RegExp(String.raw`${EMOJI}|(?<hidden>[${HIDDEN}--[\t\n]]+)`, "gv");

const SYMBOLS = { "\t": "⇥", "\n": "↵" };
const NAMES = {
  "U+0009": "tab",
  "U+000A": "line break",
  "U+0020": "space",
  "U+00AD": "soft hyphen",
  "U+061C": "Arabic letter mark",
  "U+200B": "zero width space",
  "U+200C": "zero width non-joiner",
  "U+200D": "zero width joiner",
  "U+200E": "left-to-right mark",
  "U+200F": "right-to-left mark",
  "U+202A": "left-to-right embedding",
  "U+202B": "right-to-left embedding",
  "U+202C": "pop directional formatting",
  "U+202D": "left-to-right override",
  "U+202E": "right-to-left override",
  "U+2060": "word joiner",
  "U+2066": "left-to-right isolate",
  "U+2067": "right-to-left isolate",
  "U+2068": "first strong isolate",
  "U+2069": "pop directional isolate",
  "U+FEFF": "zero width no-break space",
};

/** The text of one line, such as a name, with a mark in place of each character that cannot be seen. */
export function visibleLine(text, limit) {
  return text === "" ? empty() : marked(cut(text, limit), IN_LINE);
}

/** The text of several lines, which are shown as they are. */
export function visibleText(text) {
  return text.trim() === "" ? visibleLine(text) : marked(text, IN_TEXT);
}

/** The same as plain text, for a tooltip or a screen reader: "al[U+202E]eci". */
export function spelled(text, limit) {
  if (text === "") return "empty";
  const spell = (found, ...rest) => (rest.at(-1).hidden ? runs(found).map((run) => `[${label(run)}]`).join("") : found);
  return cut(text, limit).replace(IN_LINE, spell);
}

function marked(text, pattern) {
  const made = document.createDocumentFragment();
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.groups.hidden === undefined) continue;
    made.append(text.slice(end, found.index), ...runs(found[0]).map(mark));
    end = found.index + found[0].length;
  }
  made.append(text.slice(end));
  return made;
}

function mark(run) {
  const name = NAMES[codeOf(run)] ?? "a character that cannot be seen";
  return element("span", { class: "hidden-mark", title: `${codeOf(run)} ${name}` }, label(run));
}

function empty() {
  return element("span", { class: "hidden-mark", title: "The text is empty" }, "empty");
}

/** The text in runs of equal characters, because a thousand marks in a row would hide the rest of the line. */
function runs(text) {
  return text.match(/(.)\1*/gsv);
}

function label(run) {
  const count = [...run].length;
  const one = SYMBOLS[run[0]] ?? codeOf(run);
  return count === 1 ? one : `${one} × ${count}`;
}

function codeOf(run) {
  return `U+${run.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
