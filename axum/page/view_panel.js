// The panel in which the reader chooses how to see the log.

import { byId } from "./dom.js";
import { attachPanel } from "./panel.js";
import { apply, setView, view } from "./view.js";

export function showViewPanel() {
  apply();
  const panel = byId("view");
  attachPanel(byId("show-view"), panel, () => {
    const hidden = view().hidden.split(" ");
    for (const input of panel.querySelectorAll("input")) {
      input.checked = input.name === "column" ? !hidden.includes(input.value) : view()[input.name] === input.value;
    }
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    byId("local-zone").textContent = timeZone;
  });
  panel.addEventListener("change", ({ target: { name, value } }) => {
    if (name !== "column") {
      setView({ [name]: value });
      return;
    }
    const hidden = [...panel.querySelectorAll("[name=column]:not(:checked)")].map((input) => input.value);
    setView({ hidden: hidden.join(" ") });
  });
}
