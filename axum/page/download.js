// Downloads that the page can follow, because a plain link says nothing of its failure.

import { errorOf, unreachable } from "./api.js";

/**
 * Requests a file and resolves to `{ blob, name }`; `onBytes` is told how much has arrived. This is no `fetch`, because
 * browsers keep the blob of this older request on the disk, and a log can exceed the memory.
 */
export function download(address, onBytes, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "blob";
    request.addEventListener("progress", ({ loaded }) => onBytes(loaded));
    request.addEventListener("error", () => {
      const hasBegun = request.status === 200;
      reject(hasBegun ? new Error("The connection ended before the end of the file.") : unreachable());
    });
    request.addEventListener("load", async () => {
      if (request.status === 200) resolve({ blob: request.response, name: nameIn(request) });
      else reject(errorOf(request.status, await request.response.text()));
    });
    request.addEventListener("abort", () => reject(new Error("The download was cancelled.")));
    signal.addEventListener("abort", () => request.abort());
    request.send();
  });
}

/** Hands the file to the browser, which saves it as it saves every download. */
export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser needs the address for a moment longer.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function nameIn(request) {
  return /filename="([^"]+)"/.exec(request.getResponseHeader("Content-Disposition") ?? "")?.[1] ?? "activity-log";
}
