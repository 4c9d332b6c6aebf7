// Times. The server sends RFC 3339 in UTC with microseconds, which a Date cannot hold; people read their own time zone.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SHORT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const OTHER_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

const two = (number) => String(number).padStart(2, "0");

/** "5 min ago"; the date for times in the future or at least a week ago. */
export function relative(text, now = Date.now()) {
  const date = new Date(text);
  const age = now - date;
  if (age >= -5_000 && age < 5_000) return "now";
  if (age >= 0 && age < MINUTE) return `${Math.floor(age / 1000)} s ago`;
  if (age >= 0 && age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age >= 0 && age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  if (age >= 0 && age < 2 * DAY) return "1 day ago";
  if (age >= 0 && age < 7 * DAY) return `${Math.floor(age / DAY)} days ago`;
  if (Number.isNaN(age)) return text;
  return (date.getFullYear() === new Date(now).getFullYear() ? SHORT : OTHER_YEAR).format(date);
}

/** "2026-03-04 06:06:07.123456 UTC+01:00": in the reader's time zone, with every stored digit. */
export function exact(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const fraction = /\.\d+/.exec(text)?.[0] ?? "";
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "−" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${localDate(date)} ${localTime(date)}${fraction} UTC${offset === 0 ? "" : zone}`;
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

/** The last midnight in the reader's time zone. */
export function startOfToday() {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  return midnight.toISOString();
}

/** The value of an `<input type="datetime-local">`; empty when the text is not a time. */
export function toInput(text) {
  // Browsers take much for a date, such as the name of a preset.
  const date = new Date(/^\d{4}-/.test(text) ? text : NaN);
  if ( Number.isNaN(date.getTime())) return "";
  const time = localTime(date);
  return `${localDate(date)}T${time.endsWith(":00") ? time.slice(0, -3) : time}`;
}

/** The start of the time in an `<input type="datetime-local">`, in UTC; empty when the input is incomplete. */
export function startFromInput(value) {
  const date = new Date(value);
  return value === "" || Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/**
 * The last microsecond of the second in an `<input type="datetime-local">`, or of the minute when the input has no seconds,
 * in UTC; empty when the input is incomplete. Browsers leave out seconds that are zero, so "10:00:00" is a minute too.
 */
export function endFromInput(value) {
  const date = new Date(value);
  if (value === "" || Number.isNaN(date.getTime())) return "";
  const unit = /:\d\d:\d\d/.test(value) ? SECOND : MINUTE;
  return new Date(Math.floor(date / SECOND) * SECOND + unit - 1).toISOString().replace("Z", "999Z");
}

function localDate(date) {
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function localTime(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
