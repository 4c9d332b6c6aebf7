// The latest entries, for a page of the host's: an element that follows the log and leads to its page.
//
//     <script type="module" src="/admin/activity/recent.js"></script>
//     <activity-log-recent></activity-log-recent>
//
// Attributes: `entries`, how many (5 by default, at most 50); `query`, filters as in the address of the page, such as
// `severities=warning,error`; `label`, the heading. The host styles `::part(panel)`, `::part(heading)`, `::part(entry)`,
// `::part(time)`, `::part(message)`, `::part(actor)` and `::part(link)`. Text of the log only ever becomes text nodes.

import { fetchPage } from "./api.js";
import { Deletions } from "./deletions.js";
import { element } from "./dom.js";
import { hashOf } from "./entry_link.js";
import { fromSearch, toSearch } from "./filters.js";
import { Live } from "./live.js";
import { RECENT_STYLE } from "./recent_style.js";
import { exact, relative } from "./time.js";
import { spelled, visibleLine } from "./visible.js";

const DEFAULT_ENTRIES = 5;
const MAX_ENTRIES = 50;
const RETRY_MS = 5_000;
const SEVERITIES = { info: "Info", warning: "Warning", error: "Error" };
const SIGN_IN = "Sign in to see the activity.";
const NOT_LIVE = { waiting: "Reconnecting…", unable: "Not live" };
const PAGE = new URL(".", import.meta.url);

class RecentActivity extends HTMLElement {
  static observedAttributes = ["entries", "query", "label"];

  #list = element("ol", { part: "entries" });
  #state = element("p", { part: "state", role: "status" });
  #link = element("a", { part: "link" }, "All activity");
  #heading = element("h2", { part: "heading" });
  #entries = [];
  #problem = "";
  #connection = "off";
  #live = new Live({
    onState: (state) => {
      this.#connection = state;
      this.#drawState();
    },
    onEntries: (entries) => {
      this.#show([...entries.reverse(), ...this.#entries]);
      this.#deletions.checkSoon();
    },
    onRestored: () => this.#load(),
    onRefused: () => this.#say(SIGN_IN),
  });
  #deletions = new Deletions(this, () => this.#load());
  #clock = null;
  #retry = null;
  #request = new AbortController();

  constructor() {
    super();
    const style = new CSSStyleSheet();
    style.replaceSync(RECENT_STYLE);
    const root = this.attachShadow({ mode: "open" });
    // Not a style element, which the host's content security policy may forbid.
    root.adoptedStyleSheets = [style];
    const top = element("header", { part: "top" }, this.#heading, this.#link);
    root.append(element("section", { part: "panel" }, top, this.#list, this.#state));
  }

  connectedCallback() {
    this.#clock = setInterval(() => this.#draw(), 30_000);
    this.#load();
  }

  disconnectedCallback() {
    this.#request.abort();
    this.#stop();
    clearInterval(this.#clock);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#load();
  }

  get newestSeq() {
    return this.#entries[0]?.seq ?? null;
  }

  get oldestSeq() {
    return this.#entries.at(-1)?.seq ?? null;
  }

  get #limit() {
    const number = Number.parseInt(this.getAttribute("entries") ?? "", 10);
    return Number.isNaN(number) ? DEFAULT_ENTRIES : Math.min(Math.max(number, 1), MAX_ENTRIES);
  }

  async #load() {
    const filters = fromSearch(this.getAttribute("query") ?? "");
    const search = toSearch(filters);
    this.#link.href = new URL(search === "" ? "." : `?${search}`, PAGE).href;
    this.#heading.textContent = this.getAttribute("label") ?? "Recent activity";
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.#stop();
    try {
      const { entries } = await fetchPage(filters, null, this.#limit, signal);
      if (signal.aborted) return;
      this.#show(entries);
      this.#live.start(filters, this.newestSeq ?? 0);
      this.#deletions.start(filters);
    } catch (error) {
      if (signal.aborted) return;
      this.#say(error.status === 401 ? SIGN_IN : `The activity could not be loaded. ${error.message}`);
      // The request is at fault, or the reader. Anything else may pass.
      if (![400, 401, 403].includes(error.status)) this.#retry = setTimeout(() => this.#load(), RETRY_MS);
    }
  }

  #stop() {
    clearTimeout(this.#retry);
    this.#live.stop();
    this.#deletions.stop();
  }

  #show(entries) {
    this.#entries = entries.slice(0, this.#limit);
    this.#draw();
    this.#say(entries.length === 0 ? "Nothing has been recorded yet." : "");
  }

  #draw() {
    this.#list.replaceChildren(...this.#entries.map(itemOf));
  }

  #say(text) {
    this.#problem = text;
    this.#drawState();
  }

  #drawState() {
    const text = this.#problem === "" ? (NOT_LIVE[this.#connection] ?? "") : this.#problem;
    this.#state.textContent = text;
    this.#state.hidden = text === "";
  }
}

function itemOf(entry) {
  if (entry.unreadable) return element("li", { part: "entry" }, `Entry ${entry.seq} cannot be read.`);
  const severity = Object.hasOwn(SEVERITIES, entry.severity) ? entry.severity : "info";
  const address = new URL(hashOf(entry), PAGE).href;
  return element(
    "li",
    { part: `entry ${severity}`, class: severity },
    element("span", { part: "severity", class: "severity" }, severity === "info" ? "" : SEVERITIES[severity]),
    element("a", { part: "message", href: address, title: spelled(entry.message, 300) }, visibleLine(entry.message, 200)),
    element("span", { part: "actor", class: "actor" }, visibleLine(entry.actor, 60)),
    element("time", { part: "time", datetime: entry.ts, title: exact(entry.ts) }, relative(new Date(entry.ts), Date.now())),
  );
}

customElements.define("activity-log-recent", RecentActivity);
