// The edges of the histogram's bars: on round times of the reader's zone.

import { dateOf, fieldsOf } from "./zone.js";

const MAX_BARS = 64;
/** The places of the fields, as `zone.js` orders them. */
const [YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MILLI] = [0, 1, 2, 3, 4, 5, 6];
const LENGTHS = { [HOUR]: 3_600_000, [MINUTE]: 60_000, [SECOND]: 1_000, [MILLI]: 1 };
/** From fine to coarse: a field, and how much of it a bar spans. Seven days begin on a Monday. */
const UNITS = [
  ...[1, 5, 10, 50, 100, 500].map((step) => [MILLI, step]),
  ...[1, 5, 15, 30].map((step) => [SECOND, step]),
  ...[1, 5, 15, 30].map((step) => [MINUTE, step]),
  ...[1, 3, 6, 12].map((step) => [HOUR, step]),
  ...[1, 7].map((step) => [DAY, step]),
  ...[1, 3].map((step) => [MONTH, step]),
  ...[1, 5, 10, 50, 100, 500].map((step) => [YEAR, step]),
];
const FIRST = [1, 0, 1, 0, 0, 0, 0];

/** In fewer milliseconds, no times are round. */
const MIN_SPAN = 10;
/** The server's times have years of four digits. */
const BOUNDS = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];

/** Times that ascend, from the last round one up to `since` to the first after `until`; null when there are none. */
export function roundEdges(since, until) {
  if (until - since < MIN_SPAN) return null;
  for (const [field, step] of UNITS) {
    const edges = edgesBy(field, step, since, until);
    if (edges !== null) return withinBounds(edges, until);
  }
  return null;
}

/** The first and the last edge may be cut off; null where this would leave out a time. */
function withinBounds(edges, until) {
  const cut = edges.map((edge) => new Date(Math.min(Math.max(edge, BOUNDS[0]), BOUNDS[1])));
  return until < cut.at(-1) ? cut : null;
}

/** Null when there would be too many. */
function edgesBy(field, step, since, until) {
  const start = floor(fieldsOf(since), field, step);
  const first = dateOf(start);
  // An hour that comes twice has a bar each time. Longer units keep to the clock.
  const isEven = field > HOUR || (field === HOUR && step === 1);
  const edgeAt = (steps) =>
    isEven ? new Date(first.getTime() + steps * LENGTHS[field]) : dateOf(start.with(field, start[field] + steps));
  const edges = [first];
  for (let count = 1; edges.at(-1) <= until; count += 1) {
    if (count > MAX_BARS) return null;
    const next = edgeAt(count * step);
    // On the day on which clocks change, two edges may be one.
    if (next > edges.at(-1)) edges.push(next);
  }
  return edges;
}

/** The last round time up to the one with these fields. */
function floor(fields, field, step) {
  const start = fields.map((value, place) => (place <= field ? value : FIRST[place]));
  if (field !== DAY) return start.with(field, start[field] - (start[field] % step));
  if (step === 1) return start;
  const weekday = new Date(Date.UTC(start[YEAR], start[MONTH], start[DAY])).getUTCDay();
  return start.with(DAY, start[DAY] - ((weekday + 6) % 7));
}
