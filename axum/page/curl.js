// Requests as commands for a shell.

import { entryUrl, listUrl } from "./api.js";
import { NO_FILTERS } from "./filters.js";
import { isSignedIn } from "./sign_in.js";
import { viewer } from "./viewer.js";

/** Asks for the entry. */
export function curlOfEntry({ id, seq }) {
  return curlOf(entryUrl(id) ?? `${listUrl(NO_FILTERS)}?before_seq=${seq + 1}&limit=1`);
}

/** Asks for what the list shows. */
export function curlOfList(filters) {
  return curlOf(listUrl(filters));
}

function curlOf(address) {
  // The cookie is not for scripts. Who has it, or the token, sets the variable.
  const credentials = viewer.takes_token ? '-H "Authorization: Bearer $ACTIVITY_LOG_TOKEN" ' : '-b "$COOKIE" ';
  return `curl ${isSignedIn() ? credentials : ""}${quoted(new URL(address, location.href).href)}`;
}

/** As one word for a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
