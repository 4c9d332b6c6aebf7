// Which span of time the histogram shows when the reader has not chosen one: a single entry of 1970 or of 9999, as a wrong
// clock leaves it, would make one bar of all others.

import { fetchHistogram } from "./api.js";
import { total } from "./histogram.js";
import { PRESETS } from "./presets.js";

const BUCKETS = 60;

/** The buckets and, unless all entries are in them, how many are `outside` the `span`, which is the name of a preset. */
export async function fetchBars(filters, showsAll, signal) {
  const all = await fetchHistogram(filters, BUCKETS, signal);
  const longest = PRESETS.at(-1);
  const isChosen = showsAll || filters.since !== "" || filters.until !== "";
  if (isChosen || all.buckets.length === 0 || Date.parse(all.until) - Date.parse(all.since) <= longest.ms) return all;

  const until = new Date();
  const fetchLast = ({ since }) => fetchHistogram({ ...filters, since, until: until.toISOString() }, BUCKETS, signal);
  let recent = await fetchLast(longest);
  const first = recent.buckets.find((bucket) => total(bucket) > 0);
  if (first === undefined) return all;
  const span = PRESETS.find(({ ms }) => until - ms <= Date.parse(first.start)) ?? longest;
  if (span !== longest) recent = await fetchLast(span);
  return { ...recent, outside: sum(all) - sum(recent), span: span.label };
}

function sum({ buckets }) {
  return buckets.reduce((entries, bucket) => entries + total(bucket), 0);
}
