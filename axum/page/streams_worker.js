// A shared worker: it keeps the event sources of all pages of this browser. It belongs to no page, so none of them has to
// lead, and none that is closed or frozen stops the others.

import { BASE } from "./base.js";
import { Streams } from "./streams.js";

const streams = new Streams();

/** Held for as long as the worker lives: it may share a process with a page, and crash with that page. */
const held = new Promise((resolve) => {
  navigator.locks?.request(`${BASE}streams`, () => {
    resolve();
    return new Promise(() => {});
  });
});

addEventListener("connect", ({ ports: [page] }) => {
  held.then(() => page.postMessage({ lives: true }));
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
