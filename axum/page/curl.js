// Requests as commands for a shell.

import { entryUrl, listUrl } from "./api.js";
import { NO_FILTERS } from "./filters.js";
import { isSignedIn } from "./sign_in.js";

/** Asks for the entry. */
export function curlOfEntry({ id, seq }) {
  return curlOf(entryUrl(id) ?? `${listUrl(NO_FILTERS)}?before_seq=${seq + 1}&limit=1`);
}

/** Asks for what the list shows. */
export function curlOfList(filters) {
  return curlOf(listUrl(filters));
}

function curlOf(address) {
  // The cookie is not for scripts. Who has the token knows it.
  const token = isSignedIn() ? '-H "Authorization: Bearer $ACTIVITY_LOG_TOKEN" ' : "";
  return `curl ${token}${quoted(new URL(address, location.href).href)}`;
}

/** As one word for a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
