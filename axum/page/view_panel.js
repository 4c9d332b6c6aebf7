// The panel in which the reader chooses how to see the log.

import { byId } from "./dom.js";
import { attachPanel } from "./panel.js";
import { apply, setView, view } from "./view.js";

export function showViewPanel() {
  apply();
  const panel = byId("view");
  attachPanel(byId("show-view"), panel, () => {
    for (const input of panel.querySelectorAll("input")) input.checked = view()[input.name] === input.value;
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    byId("local-zone").textContent = timeZone;
  });
  panel.addEventListener("change", ({ target }) => setView({ [target.name]: target.value }));
}
