// Buttons that copy a text.

import { announce, button, element } from "./dom.js";

const SAID_MS = 2_000;

/** A button that copies what `textOf` returns, and says whether that was possible. */
export function copyButton(label, textOf) {
  const copy = button(label, "button", async () => {
    copy.textContent = await copyAndAnnounce(textOf());
    setTimeout(() => {
      copy.textContent = label;
    }, SAID_MS);
  });
  return copy;
}

/** Copies the text, and says behind `shown` whether that was possible. */
export async function copyAndSay(text, shown) {
  const said = element("span", { class: "copied" }, await copyAndAnnounce(text));
  shown.after(" ", said);
  setTimeout(() => said.remove(), SAID_MS);
}

/** Copies the text. Returns what screen readers are told of it. */
async function copyAndAnnounce(text) {
  const outcome = (await copyText(text)) ? "Copied" : "Not copied: the browser does not allow it";
  announce(outcome);
  return outcome;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/** A fallback: the clipboard API exists only over HTTPS and on localhost, and the browser may deny access to it. */
function copyByCommand(text) {
  const put = (event) => {
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("copy", put, { once: true });
  const copied = document.execCommand("copy");
  document.removeEventListener("copy", put);
  return copied;
}
