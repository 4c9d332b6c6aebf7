// What the server says about itself: its title, which of its features are on, and where one signs in.

import { BASE } from "./base.js";

const UNKNOWN = {
  title: document.title, home: null, sign_in_url: null, sign_out_url: null, takes_token: false, exports: false,
  status: false, changes_retention: false, asks_for_name: false,
};

async function load() {
  try {
    const response = await fetch(`${BASE}viewer.json`);
    return response.ok ? await response.json() : UNKNOWN;
  } catch {
    // The list says that the server cannot be reached.
    return UNKNOWN;
  }
}

export const viewer = await load();
document.title = viewer.title;
document.querySelector("h1").textContent = viewer.title;
if (viewer.home !== null) {
  const home = document.getElementById("home");
  home.textContent = viewer.home.label;
  home.href = viewer.home.url;
  home.hidden = false;
}
