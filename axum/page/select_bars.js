// How the reader picks bars of the histogram: by a click, by dragging across several, or by keyboard. The bars are one Tab
// stop with arrow keys inside, so that nobody has to press Tab sixty times.

/** Calls `pick(first, last)` with the places of the bars picked. `current` is the one that the Tab key leads to. */
export function selectBars(bars, current, pick) {
  const all = [...bars.children];
  /** Where the selection began. */
  let anchor = null;
  const isDragging = () => bars.classList.contains("dragging");
  const endDrag = () => bars.classList.remove("dragging");

  const range = (end) => [Math.min(anchor ?? end, end), Math.max(anchor ?? end, end)];
  const show = (end) => {
    const [first, last] = end === null ? [Infinity, -1] : range(end);
    all.forEach((bar, index) => bar.classList.toggle("selected", index >= first && index <= last));
  };
  const finish = (end) => {
    const picked = range(end);
    anchor = null;
    show(null);
    pick(...picked);
  };
  const placeAt = (x) => {
    const found = all.findIndex((bar) => x < bar.getBoundingClientRect().right);
    return found === -1 ? all.length - 1 : found;
  };

  all.forEach((bar, index) => {
    bar.setAttribute("tabindex", index === current ? "0" : "-1");
    bar.addEventListener("click", ({ detail }) => {
      // The end of a drag picks; a click without a pointer comes from the keyboard.
      if (detail === 0) finish(index);
    });
  });
  bars.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    anchor = placeAt(event.clientX);
    bars.classList.add("dragging");
    bars.setPointerCapture(event.pointerId);
    show(anchor);
  });
  bars.addEventListener("pointermove", (event) => isDragging() && show(placeAt(event.clientX)));
  bars.addEventListener("pointerup", (event) => {
    if (!isDragging()) return;
    endDrag();
    finish(placeAt(event.clientX));
  });
  bars.addEventListener("pointercancel", () => {
    endDrag();
    anchor = null;
    show(null);
  });
  bars.addEventListener("keydown", (event) => {
    const index = all.indexOf(document.activeElement);
    const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape") {
      anchor = null;
      show(null);
    }
    if (target === undefined || index === -1 || !all[target]) return;
    event.preventDefault();
    anchor = event.shiftKey ? (anchor ?? index) : null;
    show(anchor === null ? null : target);
    all[index].setAttribute("tabindex", "-1");
    all[target].setAttribute("tabindex", "0");
    all[target].focus();
  });
}
