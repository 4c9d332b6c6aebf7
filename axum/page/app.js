// The page: which filters are active, and who is told when they change.

import { byId } from "./dom.js";
import { Exports } from "./exports.js";
import { FilterBar } from "./filter_bar.js";
import { fromSearch, NO_FILTERS, toSearch } from "./filters.js";
import { rememberFocus } from "./focus.js";
import { Linked } from "./linked.js";
import { Deletions } from "./deletions.js";
import { EntryList } from "./list.js";
import { Live } from "./live.js";
import { LiveState } from "./live_state.js";
import { LogPanel } from "./log_panel.js";
import { withMember } from "./members.js";
import { News } from "./news.js";
import { goTo, keepPlace, savedPlace, savePlace } from "./place.js";
import { listenForShortcuts } from "./shortcuts.js";
import { SignIn } from "./sign_in.js";
import { hideState, showEmpty, showFailure } from "./state.js";
import { Summary } from "./summary.js";
import { showViewPanel } from "./view_panel.js";

let filters = fromSearch(location.search);
let restoreFocus = () => {};

/**
 * Adds filters. Those for a field replace its former ones, but what is hidden is hidden in addition to others. A `member` of
 * the metadata, `[key, value]`, is asked for in addition to others, and replaces one of the same key.
 */
const narrow = ({ exclude_actors = [], exclude_actions = [], member = null, ...only }) =>
  change({
    ...filters,
    ...only,
    exclude_actors: [...filters.exclude_actors, ...exclude_actors],
    exclude_actions: [...filters.exclude_actions, ...exclude_actions],
    metadata: member === null ? filters.metadata : withMember(filters.metadata, member),
  });
const showOnly = (only) => change({ ...NO_FILTERS, ...only });
const clearFilters = () => change(NO_FILTERS);

const bar = new FilterBar(change);
const exports = new Exports();
const logPanel = new LogPanel({ onSignedOut });
const summary = new Summary({ zoom: narrow, onCategories: (categories) => bar.addCategories(categories) });
const list = new EntryList({ onFirstPage, onNewer: (entries) => news.loaded(entries), onError, narrow, showOnly });
const linked = new Linked({ narrow, showOnly, onShown: () => list.hasNewer && refresh() });
const liveState = new LiveState((isPaused) => news.pause(isPaused));
const onWaiting = (count, hasOthers) => liveState.waiting(count, hasOthers);
const news = new News(list, { beforeInsert, reload: () => refresh(), onWaiting });
const onState = (state) => liveState.connection(state);
const live = new Live({ onState, onEntries: onArrival, onRestored, onRefused: onSignedOut });
const deletions = new Deletions(list.rows, onDeleted);
const signIn = new SignIn({ onSignedOut, onError });

/** Shows other filters, under an address that leads back to them. */
function change(next, { replace = false } = {}) {
  const search = toSearch(next);
  if (search === toSearch(filters)) return;
  filters = next;
  liveState.endNotice();
  savePlace(list.rows);
  const address = search === "" ? location.pathname : `?${search}`;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  refresh();
}

/** Reads the log again, around a place or from the newest entry. */
function refresh(place = null) {
  restoreFocus = rememberFocus(byId("workspace"));
  live.stop();
  deletions.stop();
  news.clear();
  hideState();
  signIn.hide();
  byId("workspace").hidden = false;
  bar.show(filters);
  exports.show(filters);
  logPanel.show();
  if (place === null) scrollTo(0, 0);
  linked.show();
  list.reload(filters, place);
  summary.reload(filters);
}

function onFirstPage(entries, newestSeq) {
  byId("columns").hidden = entries.length === 0;
  if (entries.length === 0) showEmpty(filters, clearFilters);
  restoreFocus();
  news.update();
  live.start(filters, newestSeq);
  deletions.start(filters);
}

function onArrival(entries) {
  summary.reloadSoon();
  deletions.checkSoon();
  news.add(entries);
}

function onRestored() {
  liveState.notice("the log was restored");
  refresh();
}

function onDeleted() {
  liveState.notice("entries were deleted");
  summary.reloadSoon();
  news.outdate();
}

function beforeInsert() {
  hideState();
  byId("columns").hidden = false;
}

function onError(error) {
  live.stop();
  deletions.stop();
  if (error.status === 401) {
    onSignedOut();
    return;
  }
  byId("columns").hidden = true;
  showFailure(error, { retry: () => refresh(), clearFilters });
}

function onSignedOut() {
  live.stop();
  deletions.stop();
  list.clear();
  news.clear();
  summary.clear();
  exports.hide();
  logPanel.hide();
  linked.hide();
  byId("workspace").hidden = true;
  signIn.show();
}

addEventListener("popstate", () => {
  const next = fromSearch(location.search);
  // A link within the page, such as the one that skips to the entries, also fires this event.
  if (toSearch(next) !== toSearch(filters)) {
    filters = next;
    refresh(savedPlace());
    return;
  }
  const place = savedPlace();
  if (place === null) return;
  // It has stood above the place.
  if (location.hash === "") linked.hide();
  if (list.rows.has(place.seq)) goTo(list.rows, place);
  else refresh(place);
});

addEventListener("viewchange", () => {
  bar.show(filters);
  summary.redraw();
});

listenForShortcuts();
showViewPanel();
history.scrollRestoration = "manual";
keepPlace(list.rows);
refresh(savedPlace());
