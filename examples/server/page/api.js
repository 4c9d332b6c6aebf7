// What the page asks of the server.

import { toParameters } from "./filters.js";

const LOG = "/api/v1/activity-log";
const SESSION = "/api/v1/session";

/** A request that failed; `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  constructor(status, message, { parameter = null, seq = null } = {}) {
    super(message);
    this.status = status;
    this.parameter = parameter;
    this.seq = seq;
  }
}

export function fetchPage(filters, beforeSeq, limit, signal) {
  return get(url("", filters, { before_seq: beforeSeq, limit }), signal);
}

export function fetchCount(filters, signal) {
  return get(url("/count", filters), signal);
}

export function fetchHistogram(filters, buckets, signal) {
  return get(url("/histogram", filters, { buckets }), signal);
}

/** `exportedBy`, if given, is recorded as who exports. */
export function exportUrl(filters, format, exportedBy) {
  return url("/export", filters, { format, exported_by: exportedBy || null });
}

export function streamUrl(filters, afterSeq) {
  return url("/stream", filters, { after_seq: afterSeq });
}

/** Trades the token for a cookie that scripts cannot read, which streams and downloads send by themselves. */
export async function signIn(token) {
  const headers = { "Content-Type": "application/json" };
  await request(SESSION, { method: "POST", headers, body: JSON.stringify({ token }) });
}

export async function signOut() {
  await request(SESSION, { method: "DELETE" });
}

/** An entry as the stream sends it. */
export function parseEntry(text) {
  return parse(text);
}

function url(path, filters, more = {}) {
  const parameters = toParameters(filters);
  for (const [name, value] of Object.entries(more)) {
    if (value !== null) parameters.set(name, value);
  }
  const query = parameters.toString();
  return `${LOG}${path}${query && "?"}${query}`;
}

async function get(address, signal) {
  const response = await request(address, { signal });
  return parse(await response.text());
}

async function request(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  const text = await response.text();
  let told = {};
  try {
    told = JSON.parse(text).error ?? {};
  } catch {
    // A proxy's own page, perhaps: the status has to do.
  }
  throw new ApiError(response.status, told.message ?? `The server answered ${response.status}.`, told);
}

/**
 * Numbers that a double does not hold, such as ids of 64 bits in the metadata, stay as they are written where the
 * browser knows how: a log that shows another number than was recorded is worse than none.
 */
function parse(text) {
  if (!JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_key, value, context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value,
  );
}
