// The spans of time that a reader picks by name. They are relative: the address of a view of the last hour leads to the last
// hour whenever it is opened.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From short to long; `since` stands in the address. */
export const PRESETS = [
  { since: "-15m", label: "15 min", ms: 15 * MINUTE },
  { since: "-1h", label: "1 h", ms: HOUR },
  { since: "-24h", label: "24 h", ms: DAY },
  { since: "-7d", label: "7 d", ms: 7 * DAY },
  { since: "-30d", label: "30 d", ms: 30 * DAY },
];

/** The preset that a bound names, or undefined when it is a time. */
export function presetOf(since) {
  return PRESETS.find((preset) => preset.since === since);
}

/** The bound as a time that the server understands. */
export function resolved(since, now = Date.now()) {
  const preset = presetOf(since);
  return preset === undefined ? since : new Date(now - preset.ms).toISOString();
}
