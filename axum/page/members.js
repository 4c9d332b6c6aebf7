// The filter on metadata: a JSON object whose members the metadata has. It is kept as text, so that the server can say what
// is wrong with a hand-written one.

import { parseJson } from "./json.js";
import { isContainer, nodesUpTo, textOf } from "./tree.js";

/** The server takes no longer filter. */
const MAX_BYTES = 1_000;
/** No filter finds keys that begin like this. */
const UNFINDABLE = /^[,:\]}]/;

/** Whether entries can be filtered by this member. */
export function isFilterable([key, value]) {
  // A value of a million elements is not to be written out only to be measured.
  const isShort = !isContainer(value) || nodesUpTo(value, MAX_BYTES) < MAX_BYTES;
  if (!isShort || UNFINDABLE.test(key) || !isExact(value)) return false;
  return new TextEncoder().encode(JSON.stringify({ [key]: value })).length <= MAX_BYTES;
}

/** Whether the page writes the value as the log has it. It may have changed the order of an object's members. */
function isExact(value) {
  if (Array.isArray(value)) return value.every(isExact);
  if (isContainer(value) || textOf(value).length > MAX_BYTES) return false;
  return typeof value !== "number" || JSON.rawJSON !== undefined;
}

/** The filter with one more member, which replaces one of the same key. */
export function withMember(filter, [key, value]) {
  return JSON.stringify({ ...parsed(filter), [key]: value });
}

/** For each member: what it says, and the filter without it. */
export function membersOf(filter) {
  const members = parsed(filter);
  // Only the server can say what is wrong with this.
  if (members === null) return [{ text: filter, without: "" }];
  return Object.entries(members).map(([key, value], _, all) => {
    const rest = all.filter(([other]) => other !== key);
    const without = rest.length === 0 ? "" : JSON.stringify(Object.fromEntries(rest));
    return { text: `${key}: ${JSON.stringify(value)}`, without };
  });
}

/** The members, or null where the text is not a JSON object. */
function parsed(filter) {
  if (filter === "") return {};
  try {
    const members = parseJson(filter);
    return isContainer(members) && !Array.isArray(members) ? members : null;
  } catch {
    return null;
  }
}
