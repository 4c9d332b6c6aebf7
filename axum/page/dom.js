// Builds elements. Text only ever becomes text nodes, so nothing in an entry can turn into markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children. A string becomes text; a child or attribute that is null is left out. */
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

/** A symbol from index.html. Screen readers skip it, because a word always stands beside it. */
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

/** Announces the text to screen readers. */
export function announce(text) {
  byId("announcement").textContent = text;
}

/** Shortens the text to what one line can show, so that a message of a megabyte does not slow the list down. */
export function cut(text, limit = 400) {
  if (text.length <= limit) return text;
  // Do not split a surrogate pair.
  return `${text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
