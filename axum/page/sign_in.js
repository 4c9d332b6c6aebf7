// Signing in again: on a page of the host, or on a server that takes a token, here.

import { signIn, signOut } from "./api.js";
import { byId, element } from "./dom.js";
import { load, save } from "./storage.js";
import { viewer } from "./viewer.js";

const SIGNED_IN = "signed-in";
/** The address with which a server says that this page may ask for its token. */
const TOKEN_FORM = "#token";

/** Whether requests carry a cookie. */
export function isSignedIn() {
  return viewer.sign_out_url !== null || load(SIGNED_IN) !== null;
}

export class SignIn {
  #form = byId("sign-in");
  #token = byId("token");
  #problem = byId("sign-in-error");
  #signOut = byId("sign-out");
  #hooks;

  /** `hooks`: onSignedIn(), onSignedOut(), onError(error). */
  constructor(hooks) {
    this.#hooks = hooks;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#signOut.addEventListener("click", () => this.#leave());
    this.#signOut.hidden = !isSignedIn();
  }

  show() {
    this.#form.hidden = false;
    if (viewer.sign_in_url === TOKEN_FORM) this.#token.focus();
    else this.#form.replaceChildren(...signedOut());
  }

  hide() {
    this.#form.hidden = true;
  }

  async #submit() {
    this.#problem.textContent = "";
    try {
      await signIn(this.#token.value);
    } catch (error) {
      this.#problem.textContent = error.status === 401 ? "That is not the token. Try again." : error.message;
      this.#token.select();
      return;
    }
    this.#token.value = "";
    this.#remember(true);
    this.#hooks.onSignedIn();
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
    this.#remember(false);
    this.#hooks.onSignedOut();
  }

  /** Remembers only that there is a cookie to delete: scripts cannot see the cookie itself. */
  #remember(signedIn) {
    this.#signOut.hidden = !signedIn;
    save(SIGNED_IN, signedIn ? "yes" : null);
  }
}

function signedOut() {
  const title = element("h2", {}, "You are signed out");
  if (viewer.sign_in_url === null) return [title, element("p", {}, "Sign in again, then reload this page.")];
  return [title, element("a", { class: "button primary", href: viewer.sign_in_url }, "Sign in")];
}
