// The page: which filters are in force, and who has to know.

import { exportUrl, fetchCount, fetchHistogram, signIn, signOut } from "./api.js";
import { button, byId, element } from "./dom.js";
import { FilterBar } from "./filter_bar.js";
import { fromSearch, isUnfiltered, NO_FILTERS, toSearch } from "./filters.js";
import { Histogram } from "./histogram.js";
import { EntryList, newsLabel } from "./list.js";
import { Live } from "./live.js";

/** How near to the top counts as there. */
const TOP_PX = 80;
/** So many new entries wait for the button; when there are more, it loads the list anew. */
const MOST_WAITING = 500;
const SUMMARY_PAUSE_MS = 3_000;
const BUCKETS = 60;
const TITLE = document.title;

let filters = fromSearch(location.search);
let waiting = [];
let waitingCount = 0;
let summaryRequest = new AbortController();
let summaryTimer = null;

const narrow = (only) => change({ ...filters, ...only });
const bar = new FilterBar(change);
const histogram = new Histogram(narrow);
const list = new EntryList({ onFirstPage, onEntries, onError, narrow });
const live = new Live({ onEntries: onArrival, onState: showLiveState, onError });

/** Shows other filters, and gives them an address to come back to. */
function change(next, { replace = false } = {}) {
  const search = toSearch(next);
  if (search === toSearch(filters)) return;
  filters = next;
  const address = search === "" ? location.pathname : `?${search}`;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  refresh();
}

function refresh() {
  live.stop();
  dropWaiting();
  hideState();
  byId("sign-in").hidden = true;
  byId("workspace").hidden = false;
  byId("exports").hidden = false;
  bar.show(filters);
  showExports();
  scrollTo(0, 0);
  list.reload(filters);
  refreshSummary();
}

function onFirstPage(entries) {
  byId("columns").hidden = entries.length === 0;
  if (entries.length === 0) showEmpty();
  live.start(filters, entries[0]?.seq ?? 0);
}

function onEntries(entries) {
  bar.noticeCategories(entries.map((entry) => entry.category));
}

// What comes while one reads elsewhere, or has a row open, waits: nothing moves under the reader's eyes.

function onArrival(entries) {
  refreshSummarySoon();
  waitingCount += entries.length;
  if (waitingCount <= MOST_WAITING) waiting.push(...entries);
  else waiting = [];
  showWaiting();
}

function showWaiting() {
  if (scrollY <= TOP_PX && !list.hasOpenRow && !list.newestLetGo && waitingCount === waiting.length) {
    insertWaiting();
    return;
  }
  const news = byId("news");
  const label = list.newestLetGo && waitingCount === 0 ? null : waitingCount;
  news.hidden = waitingCount === 0 && !list.newestLetGo;
  if (!news.hidden) news.replaceChildren(...newsLabel(label));
  document.title = waitingCount === 0 ? TITLE : `(${waitingCount}) ${TITLE}`;
}

function insertWaiting() {
  const entries = waiting;
  dropWaiting();
  if (entries.length === 0) return;
  hideState();
  byId("columns").hidden = false;
  list.prepend(entries);
}

function dropWaiting() {
  waiting = [];
  waitingCount = 0;
  byId("news").hidden = true;
  document.title = TITLE;
}

byId("news").addEventListener("click", () => {
  if (list.newestLetGo || waitingCount > waiting.length) {
    refresh();
    return;
  }
  insertWaiting();
  scrollTo(0, 0);
  list.focusFirst();
});

addEventListener("scroll", () => {
  if (waitingCount > 0 || list.newestLetGo) showWaiting();
}, { passive: true });

// The count and the histogram: of use, but the list does not wait for them, nor fail with them.

async function refreshSummary() {
  clearTimeout(summaryTimer);
  summaryTimer = null;
  summaryRequest.abort();
  summaryRequest = new AbortController();
  const { signal } = summaryRequest;
  const shown = filters;
  const [count, times] = await Promise.allSettled([
    fetchCount(shown, signal),
    fetchHistogram(shown, BUCKETS, signal),
  ]);
  if (signal.aborted) return;
  byId("count").textContent = count.status === "fulfilled" ? countLabel(count.value) : "";
  if (times.status === "fulfilled") histogram.show(times.value);
  else histogram.hide();
}

function refreshSummarySoon() {
  summaryTimer ??= setTimeout(refreshSummary, SUMMARY_PAUSE_MS);
}

function countLabel({ count, more }) {
  const number = `${count.toLocaleString("en")}${more ? "+" : ""}`;
  return `${number} ${count === 1 && !more ? "entry" : "entries"}`;
}

// When there is nothing to show.

function showState(className, title, text, ...actions) {
  const state = byId("state");
  state.className = `state ${className}`;
  state.replaceChildren(
    element("h2", {}, title),
    element("p", {}, text),
    element("div", { class: "chips" }, ...actions.filter((action) => action !== null)),
  );
  state.hidden = false;
}

function hideState() {
  byId("state").hidden = true;
}

function showEmpty() {
  if (isUnfiltered(filters)) {
    showState("empty", "The log is empty", "Entries appear here as soon as the server records them. To try this page with made-up ones, start it with --demo 10000.");
    return;
  }
  const clear = button("Clear all filters", "button", () => change(NO_FILTERS));
  showState("empty", "No entries match these filters", "Take one of them back, or widen the time.", clear);
}

function onError(error) {
  live.stop();
  if (error.status === 401) {
    askForToken();
    return;
  }
  byId("columns").hidden = true;
  const retry = button("Try again", "button primary", refresh);
  const clear = error.parameter ? button("Clear all filters", "button", () => change(NO_FILTERS)) : null;
  const advice = error.status === 0 ? "Check that it runs and that you are connected, then try again." : null;
  const past = error.seq === null ? null : button("Show the entries before it", "button", () => passOver(error.seq));
  const text = advice === null ? error.message : `${error.message} ${advice}`;
  showState("failed", "The entries could not be loaded", text, retry, past, clear);
}

/** Goes on behind an entry that the server cannot read, which would otherwise be in the way for ever. */
function passOver(seq) {
  hideState();
  list.reload(filters, seq);
}

function showLiveState(state) {
  const label = { live: "Live", waiting: "Reconnecting…", off: "" }[state];
  const shown = byId("live");
  shown.className = `live ${state}`;
  if (shown.textContent !== label) shown.textContent = label;
}

// Exports say in the log who took them.

const EXPORTED_BY = "exported-by";

function showExports() {
  const name = byId(EXPORTED_BY).value.trim();
  byId("export-ndjson").href = exportUrl(filters, "ndjson", name);
  byId("export-csv").href = exportUrl(filters, "csv", name);
}

byId(EXPORTED_BY).addEventListener("input", () => {
  showExports();
  try {
    localStorage.setItem(EXPORTED_BY, byId(EXPORTED_BY).value);
  } catch {
    // Storage can be forbidden; then the name is asked for anew.
  }
});

try {
  byId(EXPORTED_BY).value = localStorage.getItem(EXPORTED_BY) ?? "";
} catch {
  byId(EXPORTED_BY).value = "";
}

// Signing in, when the server asks for a token.

function askForToken() {
  summaryRequest.abort();
  clearTimeout(summaryTimer);
  summaryTimer = null;
  live.stop();
  dropWaiting();
  list.clear();
  histogram.hide();
  byId("count").textContent = "";
  byId("workspace").hidden = true;
  byId("exports").hidden = true;
  byId("sign-in").hidden = false;
  byId("token").focus();
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = byId("sign-in-error");
  problem.textContent = "";
  try {
    await signIn(byId("token").value);
  } catch (error) {
    problem.textContent = error.status === 401 ? "That is not the token. Try again." : error.message;
    byId("token").select();
    return;
  }
  byId("token").value = "";
  rememberSignIn(true);
  refresh();
});

byId("sign-out").addEventListener("click", async () => {
  try {
    await signOut();
  } catch (error) {
    if (error.status !== 401) {
      // The cookie is still there: whoever comes next would be signed in.
      onError(error);
      return;
    }
  }
  rememberSignIn(false);
  askForToken();
});

/** Only that there is a cookie to forget: the cookie itself cannot be seen from here. */
function rememberSignIn(signedIn) {
  byId("sign-out").hidden = !signedIn;
  try {
    if (signedIn) localStorage.setItem("signed-in", "yes");
    else localStorage.removeItem("signed-in");
  } catch {
    // Storage can be forbidden; then the button is gone after a reload.
  }
}

function showSignOut() {
  try {
    byId("sign-out").hidden = localStorage.getItem("signed-in") === null;
  } catch {
    byId("sign-out").hidden = true;
  }
}

addEventListener("popstate", () => {
  const next = fromSearch(location.search);
  // A link within the page, as the one that skips to the entries, comes by here too.
  if (toSearch(next) === toSearch(filters)) return;
  filters = next;
  refresh();
});

history.scrollRestoration = "manual";
showSignOut();
refresh();
