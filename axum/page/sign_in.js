// Signing in, on a server that requires a token, and signing out.

import { signIn, signOut } from "./api.js";
import { byId } from "./dom.js";
import { load, save } from "./storage.js";

const SIGNED_IN = "signed-in";

/** Whether requests carry a cookie. */
export function isSignedIn() {
  return load(SIGNED_IN) !== null;
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
    this.#token.focus();
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
      await signOut();
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
