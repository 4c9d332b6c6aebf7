// The columns of the list.

/** From left to right. Style sheets may set the widths. */
const WIDTHS = {
  severity: "var(--severity-width, 92px)",
  time: "var(--time-width, 102px)",
  message: "minmax(0, 1fr)",
  actor: "var(--actor-width, minmax(70px, 112px))",
  action: "var(--action-width, minmax(110px, 170px))",
  category: "var(--category-width, 76px)",
  entity: "var(--entity-width, minmax(90px, 190px))",
};

/** Shows the columns that are not in the list. */
export function showColumns(hidden) {
  const shown = Object.keys(WIDTHS).filter((name) => !hidden.includes(name));
  document.documentElement.style.setProperty("--grid", [...shown.map((name) => WIDTHS[name]), "var(--icon-width, 16px)"].join(" "));
}
