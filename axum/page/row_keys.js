// Keys within the list: the arrow keys lead from row to row, and Escape closes the row.

import { closeRowOf } from "./row.js";

export function moveAlongRows(event) {
  const item = event.target.closest(".entry");
  if (event.key === "Escape") {
    closeRowOf(event.target);
  } else if (item && event.target.matches(".row") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const other = event.key === "ArrowDown" ? item.nextElementSibling : item.previousElementSibling;
    if (!other) return;
    event.preventDefault();
    other.querySelector(".row").focus();
  }
}
