// The requests that the page makes.

import { BASE } from "./base.js";
import { toRequest } from "./filters.js";
import { parseJson } from "./json.js";

const LOG = `${BASE}api/v1/activity-log`;

/** A failed request; `status` is 0 when the server did not respond. */
export class ApiError extends Error {
  constructor(status, message, { parameter = null, field = null } = {}) {
    super(message);
    this.status = status;
    this.parameter = parameter;
    this.field = field;
  }
}

/** A page of entries. Among them, newest first, are the rows that the server cannot read: `{ seq, unreadable: true }`. */
export function fetchPage(filters, beforeSeq, limit, signal) {
  return fetchEntries(filters, { before_seq: beforeSeq, limit }, signal);
}

/** The page of entries that follow `afterSeq`, likewise newest first. */
export function fetchNewer(filters, afterSeq, limit, signal) {
  return fetchEntries(filters, { after_seq: afterSeq, limit }, signal);
}

/**
 * The page to begin with: the newest, or the one around the entry `around`. With it comes the `seq` of the newest entry, and
 * whether there are newer entries than the page has.
 */
export async function fetchStart(filters, around, limit, signal) {
  if (around === null) {
    const page = await fetchPage(filters, null, limit, signal);
    return { page, newestSeq: page.entries[0]?.seq ?? 0, hasNewer: false };
  }
  const [newest, newer, page] = await Promise.all([
    fetchPage(filters, null, 1, signal),
    fetchNewer(filters, around, Math.ceil(limit / 2), signal).catch(noneOfStandby),
    fetchPage(filters, around + 1, limit, signal),
  ]);
  const entries = [...newer.entries, ...page.entries];
  const newestSeq = newest.entries[0]?.seq ?? 0;
  return { page: { ...page, entries }, newestSeq, hasNewer: newestSeq > (entries[0]?.seq ?? newestSeq) };
}

/** A standby cannot tell what is newer than an entry. */
function noneOfStandby(error) {
  if (!isOfStandby(error)) throw error;
  return { entries: [] };
}

export function isOfStandby(error) {
  return error.status === 501;
}

async function fetchEntries(filters, range, signal) {
  const page = await get(url("", filters, range), signal);
  const entries = [...page.entries, ...page.unreadable.map(unreadableEntry)].sort((one, other) => other.seq - one.seq);
  return { ...page, entries };
}

export function unreadableEntry(seq) {
  return { seq, unreadable: true };
}

/** The entry with this id. */
export async function fetchEntry(id) {
  const address = entryUrl(id);
  if (address === null) throw new ApiError(404, "");
  return get(address);
}

/** What else has an address where entries have theirs: a link must not make its reader export the log. */
const NO_ENTRIES = ["", ".", "..", "count", "export", "facets", "histogram", "retention", "status", "stream"];

/** The address of one entry; null where its id cannot stand there. */
export function entryUrl(id) {
  return NO_ENTRIES.includes(id) ? null : `${LOG}/${encodeURIComponent(id)}`;
}

/** The address of the newest entries that match the filters. */
export function listUrl(filters) {
  return url("", filters);
}

export function fetchCount(filters, signal) {
  return get(url("/count", filters), signal);
}

export function fetchHistogram(filters, buckets, signal) {
  return get(url("/histogram", filters, { buckets }), signal);
}

/** Like `fetchHistogram`, with a bucket from each edge to before the next. */
export function fetchBuckets(filters, edges, signal) {
  return get(url("/histogram", filters, { edges }), signal);
}

/** The most frequent values of a field and their numbers of entries, and whether there are `more`. */
export function fetchFacet(filters, by, signal) {
  return get(url("/facets", filters, { by, limit: 100 }), signal);
}

/** The size of the log, and how that which keeps it is doing. */
export function fetchStatus(signal) {
  return get(`${LOG}/status`, signal);
}

/** Changes how long entries are kept; the log records `actor`, if given, with the change. */
export async function changeRetention(settings, actor) {
  const query = actor === "" ? "" : `?${new URLSearchParams({ actor })}`;
  const headers = { "Content-Type": "application/json" };
  await request(`${LOG}/retention${query}`, { method: "PUT", headers, body: JSON.stringify(settings) });
}

/** The log records `exportedBy`, if given, with the export. */
export function exportUrl(filters, format, exportedBy) {
  return url("/export", filters, { format, exported_by: exportedBy || null });
}

export function streamUrl(filters, afterSeq) {
  return url("/stream", filters, { after_seq: afterSeq });
}

/** `address`: where the host signs its users out. */
export async function signOut(address) {
  await request(address, { method: "POST" });
}

/** Parses the data of an event of the stream. */
export function parseEntry(text) {
  return parseJson(text);
}

function url(path, filters, more = {}) {
  const parameters = toRequest(filters);
  for (const [name, value] of Object.entries(more)) {
    for (const item of [value].flat()) if (item !== null) parameters.append(name, item);
  }
  const query = parameters.toString();
  return `${LOG}${path}${query && "?"}${query}`;
}

async function get(address, signal) {
  const response = await request(address, { signal });
  return parseJson(await response.text());
}

async function request(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  throw errorOf(response.status, await response.text());
}

export function unreachable() {
  return new ApiError(0, "The server cannot be reached.");
}

/** The error in a response. */
export function errorOf(status, text) {
  let details = {};
  try {
    details = JSON.parse(text).error ?? {};
  } catch {
    // The response may be a proxy's error page. The status has to suffice.
  }
  return new ApiError(status, details.message ?? `The server responded with status ${status}.`, details);
}
