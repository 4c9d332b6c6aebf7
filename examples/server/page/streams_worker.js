// A shared worker: it keeps the event sources of all pages of this browser. It belongs to no page, so none of them has to
// lead, and none that is closed or frozen stops the others.

import { Streams } from "./streams.js";

const streams = new Streams();

addEventListener("connect", ({ ports: [page] }) => {
  page.addEventListener("message", ({ data: { join, lifeline } }) => {
    if (join) streams.join(page, join);
    else if (lifeline) leaveWhenFree(page, lifeline);
    else streams.leave(page);
  });
  page.start();
});

/** A page that crashes says nothing, but the browser frees its lock. */
function leaveWhenFree(page, lifeline) {
  navigator.locks.request(lifeline, () => streams.leave(page));
}
