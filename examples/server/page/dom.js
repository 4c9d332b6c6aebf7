// Building elements. Texts become text nodes and nothing else: whatever an entry holds, no markup ever comes of it.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a child that is a string is text, and one that is null is left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(attribute, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function button(label, className, onClick) {
  const made = element("button", { type: "button", class: className }, label);
  made.addEventListener("click", onClick);
  return made;
}

/** One of the symbols in index.html. It says nothing to a screen reader: a word stands beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Says something to those who listen to the page instead of looking at it. */
export function announce(text) {
  byId("announcement").textContent = text;
}

/** The text cut to what one line can show, so that a message of a megabyte does not slow the list down. */
export function cut(text, most = 400) {
  if (text.length <= most) return text;
  // Not through the middle of a surrogate pair.
  return `${text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
