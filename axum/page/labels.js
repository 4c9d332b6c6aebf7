// Labels for times that stand together: as short as they can be and still differ.

import { format, yearOf } from "./zone.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const DATE = { day: "numeric", month: "short" };
const TIME = { hour: "2-digit", minute: "2-digit" };
/** From coarse to fine, and the shortest distance that each is for. */
const PRECISIONS = [
  { from: 10 * DAY, options: DATE },
  { from: 10 * MINUTE, options: { ...DATE, ...TIME } },
  { from: 10 * SECOND, options: { ...DATE, ...TIME, second: "2-digit" } },
  { from: 0, options: { ...DATE, ...TIME, second: "2-digit", fractionalSecondDigits: 3 } },
];

/** A label for each time, given in order: with the year unless all are of this year, and no finer than needed to differ. */
export function labelsOf(texts, precisions = PRECISIONS) {
  const dates = texts.map((text) => new Date(text));
  if (dates.some((date) => Number.isNaN(date.getTime()))) return texts;
  const distance = dates.at(-1) - dates[0];
  const year = yearOf(...dates);
  let labels = [];
  for (const { options } of precisions.slice(precisions.findIndex(({ from }) => distance >= from))) {
    labels = dates.map((date) => format(date, { ...options, ...year }));
    if (new Set(labels).size === labels.length) return labels;
  }
  return labels;
}

/** "4 Mar, 06:06 – 07:06": a span of time, whose ends are never mere days. The date stands once if it is the same. */
export function spanLabel(since, until) {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  if ([SECOND, MINUTE].some((unit) => from % unit === 0 && to - from === unit - 1)) return timeLabel(since);
  const [start, end] = labelsOf([since, until], PRECISIONS.slice(1));
  const date = start.slice(0, start.lastIndexOf(", ") + 2);
  return start === end ? start : `${start} – ${date !== "" && end.startsWith(date) ? end.slice(date.length) : end}`;
}

/** One time, to the minute or, if it has any, to the second. */
export function timeLabel(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const second = date.getTime() % MINUTE < SECOND ? {} : { second: "2-digit" };
  return format(date, { ...DATE, ...TIME, ...second, ...yearOf(date) });
}
