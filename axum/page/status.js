// What the server says of the log and of what keeps it, in words.

import { element } from "./dom.js";
import { timeLabel } from "./labels.js";
import { exact, rowTime } from "./time.js";

const UNITS = [["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3]];
/** Unreadable rows that are named. */
const MAX_NAMED = 5;
/** Unreadable rows that the server remembers. */
const MAX_SEEN = 100;

/** A line for each fact that the server tells: `<div><dt>Size</dt><dd>4.1 MB</dd></div>`. */
export function linesOf({ bytes, entries, search, unreadable, recorder, retention, sign_ins_refused }) {
  return [
    line("Size", bytesLabel(bytes)),
    line("Entries", `about ${entries.toLocaleString("en")}`),
    line("Search index", search ? "on" : "off"),
    unreadable.length === 0 ? line("Unreadable rows", "none seen") : problem("Unreadable rows", ...rowsLabel(unreadable)),
    recorder === null ? null : recorderLine(recorder),
    retention === null ? null : line("Retention", effectOf(retention.settings)),
    retention === null ? null : line("Last run", ...runLabel(retention.last_run)),
    sign_ins_refused === null ? null : line("Sign-ins refused", sign_ins_refused.toLocaleString("en")),
  ].filter((made) => made !== null);
}

/** What these settings delete. */
export function effectOf({ enabled, days, entries }) {
  if (!enabled || (days === null && entries === null)) return "Nothing is deleted.";
  const sentences = [
    days === null ? null : `Entries older than ${count(days, "day", "days")} are deleted.`,
    entries === null ? null : keptOf(entries),
  ];
  return sentences.filter((sentence) => sentence !== null).join(" ");
}

function keptOf(entries) {
  return entries === 1 ? "Only the newest entry is kept." : `Only the newest ${entries.toLocaleString("en")} entries are kept.`;
}

function recorderLine({ queued, failing_since, failed_attempts }) {
  const waiting = count(queued, "entry waiting", "entries waiting");
  if (failing_since === null) return line("Recorder", queued === 0 ? "working" : `working; ${waiting}`);
  const since = `not recording since ${timeLabel(failing_since)}`;
  return problem("Recorder", `${since}; ${count(failed_attempts, "failed attempt", "failed attempts")}; ${waiting}`);
}

function runLabel(run) {
  if (run === null) return ["not yet"];
  const { finished_at, report } = run;
  const time = element("time", { datetime: finished_at, title: exact(finished_at) }, rowTime(finished_at));
  const heldBack = report.held_back === 0 ? "" : `, ${report.held_back.toLocaleString("en")} held back`;
  return [time, `: ${count(report.deleted, "entry", "entries")} deleted${heldBack}${report.stopped ? ", stopped early" : ""}`];
}

/** "2: 7, 12", with links to the rows. */
function rowsLabel(seqs) {
  const links = seqs.slice(0, MAX_NAMED).map((seq) => element("a", { href: `#entry-${seq}` }, String(seq)));
  const named = links.flatMap((link, place) => [place === 0 ? ": " : ", ", link]);
  return [`${seqs.length}${seqs.length < MAX_SEEN ? "" : " or more"}`, ...named, seqs.length > MAX_NAMED ? ", …" : ""];
}

function bytesLabel(bytes) {
  const [unit, size] = UNITS.find((candidate) => bytes >= candidate[1]) ?? UNITS.at(-1);
  return (bytes / size).toLocaleString("en", { style: "unit", unit, maximumFractionDigits: 1 });
}

function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function line(name, ...value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
}

function problem(name, ...value) {
  const made = line(name, ...value);
  made.lastChild.className = "problem";
  return made;
}
