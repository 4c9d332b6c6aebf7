// The form that changes how long entries are kept, and says what that will delete.

import { changeRetention } from "./api.js";
import { byId } from "./dom.js";
import { effectOf } from "./status.js";
import { load, save } from "./storage.js";
import { viewer } from "./viewer.js";

/** The same name as for exports. */
const NAME = "exported-by";
const FIELDS = ["days", "entries", "actor"];

export class RetentionForm {
  #form = byId("retention");
  #effect = byId("retention-effect");
  #isSaving = false;
  #hooks;
  /** What the server has; null while the form is hidden. */
  #current = null;

  /** `hooks`: onChanged(), onSignedOut(). */
  constructor(hooks) {
    this.#hooks = hooks;
    byId("changed-by").hidden = !viewer.asks_for_name;
    this.#form.elements.actor.value = viewer.asks_for_name ? (load(NAME) ?? "") : "";
    this.#form.addEventListener("input", () => this.#describe());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Shows the settings, but keeps those that the reader is changing. */
  show(settings) {
    if (!viewer.changes_retention || settings === null) return;
    const isEdited = this.#current !== null && !this.#shows(this.#current);
    this.#current = settings;
    // Filled again, the form would no longer say that the settings are saved.
    if (!isEdited && !this.#shows(settings)) this.#fill(settings);
    this.#form.hidden = false;
  }

  hide() {
    this.#form.hidden = true;
    this.#current = null;
    this.#effect.textContent = "";
    this.#clearProblems();
  }

  #fill({ enabled, days, entries }) {
    const { elements } = this.#form;
    elements.enabled.checked = enabled;
    elements.days.value = days ?? "";
    elements.entries.value = entries ?? "";
    this.#describe();
  }

  #shows({ enabled, days, entries }) {
    const { elements } = this.#form;
    const texts = [elements.days.value.trim(), elements.entries.value.trim()];
    return elements.enabled.checked === enabled && texts[0] === String(days ?? "") && texts[1] === String(entries ?? "");
  }

  /** The settings in the form; undefined where a text is no number. */
  #settings() {
    const { enabled, days, entries } = this.#form.elements;
    return { enabled: enabled.checked, days: limitOf(days.value), entries: limitOf(entries.value) };
  }

  #describe() {
    const settings = this.#settings();
    const isReadable = settings.days !== undefined && settings.entries !== undefined;
    this.#effect.textContent = isReadable && !this.#shows(this.#current) ? effectOf(settings) : "";
  }

  async #submit() {
    if (this.#isSaving) return;
    this.#clearProblems();
    const settings = this.#settings();
    const unreadable = ["days", "entries"].find((name) => settings[name] === undefined);
    if (unreadable !== undefined) {
      this.#refuse(unreadable, "must be a whole number, or empty");
      return;
    }
    const actor = viewer.asks_for_name ? this.#form.elements.actor.value.trim() : "";
    this.#isSaving = true;
    try {
      await changeRetention(settings, actor);
    } catch (error) {
      if (error.status === 401) this.#hooks.onSignedOut();
      else this.#refuse(error.field ?? error.parameter, error.message);
      return;
    } finally {
      this.#isSaving = false;
    }
    if (viewer.asks_for_name) save(NAME, actor === "" ? null : actor);
    this.#current = settings;
    this.#fill(settings);
    this.#effect.textContent = "Saved.";
    this.#hooks.onChanged();
  }

  #refuse(name, message) {
    if (!FIELDS.includes(name)) {
      byId("retention-problem").textContent = `Saving failed. ${message}`;
      return;
    }
    const field = this.#form.elements[name];
    byId(`${name}-problem`).textContent = spoken(message);
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  #clearProblems() {
    for (const problem of this.#form.querySelectorAll(".problem")) problem.textContent = "";
    for (const name of FIELDS) this.#form.elements[name].removeAttribute("aria-invalid");
  }
}

/** Null for no limit, undefined for a text that is no number. */
function limitOf(text) {
  const digits = text.trim();
  if (digits === "") return null;
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** The server's sentence as it stands beside the field, which is "null" when it is empty. */
function spoken(message) {
  return message.replace(/^`\w+` /, "").replace(/\bor null$/, "or empty").replace(/^./, (first) => first.toUpperCase());
}
