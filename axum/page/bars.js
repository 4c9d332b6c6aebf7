// The bars of the histogram: which span of time they show when the reader has not chosen one, and where each begins. A
// single entry of 1970 or of 9999, as a wrong clock leaves it, would make one bar of all others.

import { fetchBuckets, fetchHistogram } from "./api.js";
import { roundEdges } from "./calendar.js";
import { total } from "./histogram.js";
import { presetOf, PRESETS } from "./presets.js";

const BUCKETS = 60;

/**
 * The buckets, each from its `start` to before its `end`, and, unless all entries are in them, how many are `outside`, and
 * `where` these are.
 */
export async function fetchBars(filters, showsAll, signal) {
  const preset = presetOf(filters.since);
  if (preset !== undefined && filters.until === "" && !showsAll) {
    const last = await fetchLast(preset, filters, signal);
    const later = await fetchHistogram({ ...filters, since: last.buckets.at(-1).end }, 1, signal);
    return { ...last, outside: sum(later), where: `outside the last ${preset.label}` };
  }
  const all = await fetchHistogram(filters, 1, signal);
  if (all.buckets.length === 0) return all;
  const { since, until, where } = await spanToShow(filters, all, showsAll, signal);
  const shown = await fetchBetween(filters, since, until, signal);
  if (where === undefined) return { ...shown, showsAll };
  // Others record and delete meanwhile.
  return { ...shown, outside: Math.max(0, sum(all) - sum(shown)), where };
}

/**
 * From when to when: as far as the reader has chosen, and where not, without what lies far from the others. Then it says
 * `where` the others are.
 */
async function spanToShow(filters, { since, until }, showsAll, signal) {
  const whole = { since, until };
  const now = Date.now();
  const isChosen = filters.since !== "" && filters.until !== "";
  if (showsAll || isChosen) return whole;
  const [first, last] = [Date.parse(since), Date.parse(until)];
  if (filters.since !== "") return first < now && now < last ? { since, until: timeOf(now), where: "in the future" } : whole;
  if (last - first <= PRESETS.at(-1).ms) return whole;
  const end = filters.until === "" ? now : last;
  const span = await spanOfNewest(filters, end, signal);
  if (span === null) return whole;
  const where = filters.until === "" ? `outside the last ${span.label}` : "earlier";
  return { since: timeOf(end - span.ms), until: timeOf(end), where };
}

/** The shortest preset with all entries of the longest before `end`; null when these are none. */
async function spanOfNewest(filters, end, signal) {
  const longest = PRESETS.at(-1);
  const within = { ...filters, since: timeOf(end - longest.ms), until: timeOf(end) };
  const first = (await fetchHistogram(within, BUCKETS, signal)).buckets.find((bucket) => total(bucket) > 0);
  if (first === undefined) return null;
  return PRESETS.find(({ ms }) => end - ms <= Date.parse(first.start)) ?? longest;
}

function fetchLast({ since, ms }, filters, signal) {
  const now = Date.now();
  return fetchBetween({ ...filters, since }, timeOf(now - ms), timeOf(now), signal);
}

async function fetchBetween(filters, since, until, signal) {
  const edges = roundEdges(new Date(since), new Date(until));
  const found =
    edges === null
      ? await fetchHistogram(filters, BUCKETS, signal)
      : await fetchBuckets(filters, edges.map((edge) => edge.toISOString()), signal);
  const { buckets } = found;
  const end = edges === null ? found.until : edges.at(-1).toISOString();
  return { buckets: buckets.map((bucket, index) => ({ ...bucket, end: buckets[index + 1]?.start ?? end })) };
}

function timeOf(ms) {
  return new Date(ms).toISOString();
}

function sum({ buckets }) {
  return buckets.reduce((entries, bucket) => entries + total(bucket), 0);
}
