// Buttons that copy a text.

import { announce, button, element } from "./dom.js";

/** A button that copies what `textOf` returns, and says whether that was possible. */
export function copyButton(label, textOf) {
  const copy = button(label, "button", async () => {
    const copied = await copyText(textOf());
    copy.textContent = copied ? "Copied" : "Not copied: the browser does not allow it";
    announce(copy.textContent);
    setTimeout(() => {
      copy.textContent = label;
    }, 2000);
  });
  return copy;
}

/** Copies the text, and announces whether that was possible. */
export async function copyAndSay(text) {
  announce((await copyText(text)) ? "Copied" : "Not copied: the browser does not allow it");
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** A fallback: the clipboard API exists only over HTTPS and on localhost, and the browser may deny access to it. */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = element("textarea", { class: "unseen", readonly: "" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
