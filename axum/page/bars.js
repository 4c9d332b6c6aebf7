// The bars of the histogram: which span of time they show when the reader has not chosen one, and where each begins. A
// single entry of 1970 or of 9999, as a wrong clock leaves it, would make one bar of all others.

import { fetchBuckets, fetchHistogram } from "./api.js";
import { roundEdges } from "./calendar.js";
import { total } from "./histogram.js";
import { presetOf, PRESETS } from "./presets.js";

const BUCKETS = 60;

/**
 * The buckets, each from its `start` to before its `end`, and, unless all entries are in them, how many are `outside` the
 * `span`, which is the name of a preset.
 */
export async function fetchBars(filters, showsAll, signal) {
  const preset = presetOf(filters.since);
  if (preset !== undefined && filters.until === "" && !showsAll) {
    const last = await fetchLast(preset, filters, signal);
    const later = await fetchHistogram({ ...filters, since: last.buckets.at(-1).end }, 1, signal);
    return { ...last, outside: sum(later), span: preset.label };
  }
  const all = await fetchHistogram(filters, 1, signal);
  if (all.buckets.length === 0) return all;
  const longest = PRESETS.at(-1);
  const isChosen = showsAll || filters.since !== "" || filters.until !== "";
  const isShort = Date.parse(all.until) - Date.parse(all.since) <= longest.ms;
  const span = isChosen || isShort ? null : await spanOfNewest(filters, signal);
  if (span === null) return fetchBetween(filters, all.since, all.until, signal);
  const recent = await fetchLast(span, filters, signal);
  return { ...recent, outside: sum(all) - sum(recent), span: span.label };
}

/** The shortest preset with all entries of the longest; null when these are none. */
async function spanOfNewest(filters, signal) {
  const now = new Date();
  const longest = PRESETS.at(-1);
  const within = { ...filters, since: longest.since, until: now.toISOString() };
  const first = (await fetchHistogram(within, BUCKETS, signal)).buckets.find((bucket) => total(bucket) > 0);
  if (first === undefined) return null;
  return PRESETS.find(({ ms }) => now - ms <= Date.parse(first.start)) ?? longest;
}

function fetchLast({ since, ms }, filters, signal) {
  const now = Date.now();
  return fetchBetween({ ...filters, since }, new Date(now - ms).toISOString(), new Date(now).toISOString(), signal);
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

function sum({ buckets }) {
  return buckets.reduce((entries, bucket) => entries + total(bucket), 0);
}
