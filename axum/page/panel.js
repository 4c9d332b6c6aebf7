// Panels that open below a button, above everything else. The browser closes them on Escape and on a click elsewhere.

const MAX_WIDTH = 330;
const MARGIN = 12;

/** Lets the button open the panel, which is a popover; `onOpen` is called before each time. */
export function attachPanel(button, panel, onOpen = () => {}) {
  button.popoverTargetElement = panel;
  panel.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    const { left, bottom } = button.getBoundingClientRect();
    const width = Math.min(MAX_WIDTH, document.documentElement.clientWidth - 2 * MARGIN);
    const rightmost = document.documentElement.clientWidth - width - MARGIN;
    panel.style.width = `${width}px`;
    panel.style.left = `${Math.max(MARGIN, Math.min(left, rightmost)) + scrollX}px`;
    panel.style.top = `${bottom + scrollY + 4}px`;
    onOpen();
  });
}
