// Readers who are signed out, and signing out: the host does both, on pages of its own.

import { signOut } from "./api.js";
import { byId, element } from "./dom.js";
import { viewer } from "./viewer.js";

/** Whether requests carry a cookie. */
export function isSignedIn() {
  return viewer.sign_out_url !== null;
}

export class SignIn {
  #place = byId("sign-in");
  #signOut = byId("sign-out");
  #hooks;

  /** `hooks`: onSignedOut(), onError(error). */
  constructor(hooks) {
    this.#hooks = hooks;
    this.#signOut.addEventListener("click", () => this.#leave());
    this.#signOut.hidden = !isSignedIn();
  }

  show() {
    this.#place.replaceChildren(...signedOut());
    this.#place.hidden = false;
    this.#signOut.hidden = true;
  }

  hide() {
    this.#place.hidden = true;
    this.#signOut.hidden = !isSignedIn();
  }

  async #leave() {
    try {
      await signOut(viewer.sign_out_url);
    } catch (error) {
      if (error.status !== 401) {
        // The browser still has the cookie: whoever uses it next would be signed in.
        this.#hooks.onError(error);
        return;
      }
    }
    this.#hooks.onSignedOut();
  }
}

function signedOut() {
  const title = element("h2", {}, "You are signed out");
  if (viewer.sign_in_url === null) return [title, element("p", {}, "Sign in again, then reload this page.")];
  return [title, element("a", { class: "button primary", href: signInUrl() }, "Sign in")];
}

/** Where one signs in, and from where the host may lead back to what this page shows. */
function signInUrl() {
  const url = new URL(viewer.sign_in_url, location.href);
  url.searchParams.set("next", location.pathname + location.search);
  url.hash = location.hash;
  return url.href;
}
