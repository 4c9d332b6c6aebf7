// Times as texts. The server sends RFC 3339 in UTC with microseconds, which a Date cannot hold; people read their own zone.

import { view } from "./view.js";
import { dateOf, fieldsOf, format, yearOf, zoneName } from "./zone.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DATE = { day: "numeric", month: "short" };
const TO_THE_MINUTE = { ...DATE, hour: "2-digit", minute: "2-digit" };
const TO_THE_SECOND = { ...TO_THE_MINUTE, second: "2-digit" };

let isOnPaper = false;
addEventListener("beforeprint", () => {
  isOnPaper = true;
});
addEventListener("afterprint", () => {
  isOnPaper = false;
});

/** The time of an entry in its row: "5 min ago", or "4 Mar, 06:06:07" if the reader prefers that, and on paper. */
export function rowTime(text, now = Date.now()) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return view().times === "absolute" || isOnPaper ? format(date, { ...TO_THE_SECOND, ...yearOf(date) }) : relative(date, now);
}

/** "5 min ago"; the date for times in the future or at least a week ago. */
export function relative(date, now) {
  const age = now - date;
  if (age >= -5_000 && age < 5_000) return "now";
  if (age >= 0 && age < MINUTE) return `${Math.floor(age / 1000)} s ago`;
  if (age >= 0 && age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age >= 0 && age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  if (age >= 0 && age < 2 * DAY) return "1 day ago";
  if (age >= 0 && age < 7 * DAY) return `${Math.floor(age / DAY)} days ago`;
  const year = yearOf(date);
  return format(date, "year" in year ? { ...DATE, ...year } : TO_THE_MINUTE);
}

/** "4 Mar 2026, 06:06:07.123456 UTC+01:00": with every stored digit. */
export function exact(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return `${format(date, { ...TO_THE_SECOND, year: "numeric" })}${/\.\d+/.exec(text)?.[0] ?? ""} ${zoneName(date)}`;
}

/** The last microsecond before a time, for an inclusive end in place of an exclusive one. */
export function justBefore(text) {
  const fraction = (/\.(\d+)/.exec(text)?.[1] ?? "").padEnd(9, "0").slice(0, 9);
  const whole = BigInt(Date.parse(text.replace(/\.\d+/, ""))) * 1_000_000n + BigInt(fraction);
  const micros = floorDiv(whole - 1n, 1000n);
  const millis = floorDiv(micros, 1000n);
  const digits = String(micros - millis * 1000n).padStart(3, "0");
  return new Date(Number(millis)).toISOString().replace("Z", `${digits}Z`);
}

function floorDiv(dividend, divisor) {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** The last midnight in the reader's zone. */
export function startOfToday() {
  return dateOf([...fieldsOf(new Date()).slice(0, 3), 0, 0, 0, 0]).toISOString();
}

/** The value of an `<input type="datetime-local">`; empty when the text is not a time. */
export function toInput(text) {
  // Browsers take much for a date, such as the name of a preset.
  const date = new Date(/^\d{4}-/.test(text) ? text : NaN);
  if (Number.isNaN(date.getTime())) return "";
  const [year, month, day, hour, minute, second] = fieldsOf(date);
  const two = (number) => String(number).padStart(2, "0");
  const time = second === 0 ? [hour, minute] : [hour, minute, second];
  return `${String(year).padStart(4, "0")}-${two(month + 1)}-${two(day)}T${time.map(two).join(":")}`;
}

/** The start of the time in an `<input type="datetime-local">`, in UTC; empty when the input is incomplete. */
export function startFromInput(value) {
  const date = fromInput(value);
  return date === null ? "" : date.toISOString();
}

/**
 * The last microsecond of the second in an `<input type="datetime-local">` or, where one picks minutes with a finger, of the
 * minute, in UTC; empty when the input is incomplete. Whether somebody has typed the seconds cannot be seen: browsers leave
 * them out if they are zero.
 */
export function endFromInput(value) {
  const date = fromInput(value);
  if (date === null) return "";
  const unit = /:\d\d:\d\d/.test(value) || !matchMedia("(pointer: coarse)").matches ? SECOND : MINUTE;
  return new Date(Math.floor(date / SECOND) * SECOND + unit - 1).toISOString().replace("Z", "999Z");
}

function fromInput(value) {
  const fields = /^(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?$/.exec(value)?.slice(1);
  if (!fields) return null;
  const [year, month, day, hour, minute, second = 0, fraction = "0"] = fields;
  const milli = fraction.padEnd(3, "0").slice(0, 3);
  const date = dateOf([year, month - 1, day, hour, minute, second, milli].map(Number));
  return Number.isNaN(date.getTime()) ? null : date;
}
