// Keys for readers who keep their hands on the keyboard. They do nothing while the reader types.

import { button, byId } from "./dom.js";

const KEYS = {
  "/": () => byId("search").select(),
  j: () => move("nextElementSibling"),
  k: () => move("previousElementSibling"),
  "?": showHelp,
};

export function listenForShortcuts() {
  const help = byId("help");
  help.append(button("Close", "button", () => help.close()));
  byId("show-help").addEventListener("click", showHelp);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open || byId("workspace").hidden) return;
    if (event.target.matches("input, select, textarea") || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
}

/** Moves the focus to a neighbour of the focused entry, or to the first entry. */
function move(neighbour) {
  const rows = byId("rows");
  const current = document.activeElement.closest("#rows > .entry");
  const next = current === null ? rows.firstElementChild : current[neighbour];
  next?.querySelector(".row").focus();
}

function showHelp() {
  byId("help").showModal();
}
