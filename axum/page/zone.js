// Times in the zone that the reader has chosen: the browser's own, or UTC.

import { view } from "./view.js";

const formats = new Map();

export function isUtc() {
  return view().zone === "utc";
}

/** What a calendar and a clock show: year, month from 0, day, hour, minute, second, millisecond. */
export function fieldsOf(date) {
  const get = (part) => date[`get${isUtc() ? "UTC" : ""}${part}`]();
  return ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds"].map(get);
}

/** The time at which a calendar and a clock show this. A field may exceed its range, as for `Date`. */
export function dateOf([year, month, day, hour, minute, second, milli]) {
  // Not the constructor, to which the year 26 is 1926.
  const date = new Date(0);
  if (isUtc()) {
    date.setUTCFullYear(year, month, day);
    date.setUTCHours(hour, minute, second, milli);
  } else {
    date.setFullYear(year, month, day);
    date.setHours(hour, minute, second, milli);
  }
  return date;
}

/** The time as text, by the options of `Intl.DateTimeFormat`. */
export function format(date, options) {
  const key = `${isUtc()} ${JSON.stringify(options)}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat("en-GB", { ...options, timeZone: isUtc() ? "UTC" : undefined }));
  }
  return formats.get(key).format(date);
}

/** "UTC" or "UTC+01:00", as it is at that time. */
export function zoneName(date) {
  const offset = isUtc() ? 0 : -date.getTimezoneOffset();
  if (offset === 0) return "UTC";
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `UTC${offset < 0 ? "−" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

/** The options that add the year, unless all of the times are of the present one. */
export function yearOf(...dates) {
  const [present] = fieldsOf(new Date());
  return dates.every((date) => fieldsOf(date)[0] === present) ? {} : { year: "numeric" };
}
