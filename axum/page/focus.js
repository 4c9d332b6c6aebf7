// Keeps the focus of a reader whose button disappears with the rows around it.

/**
 * Remembers at which entry within `region` the focus is. The function that is returned focuses that entry again, or else the
 * first row, unless the reader has put the focus elsewhere meanwhile.
 */
export function rememberFocus(region) {
  const focused = document.activeElement;
  if (!region.contains(focused)) return () => {};
  const seq = focused.closest(".entry")?.dataset.seq;
  return () => {
    const isLost = document.activeElement === document.body || document.activeElement === null;
    if (!isLost) return;
    const row = region.querySelector(`.entry[data-seq="${seq}"] .row`) ?? region.querySelector(".row");
    if (row === null) document.getElementById("entries").focus({ preventScroll: true });
    else row.focus();
  };
}
