/** Selects that are filled from a list, and sliders that show their value. */

import { nameOf } from "./models.js";

/** @param {HTMLSelectElement} select; @param {[string, string][]} choices value and words */
export function offer(select, choices, chosen) {
  select.replaceChildren(...choices.map(([value, words]) => new Option(words, value, false, value === chosen)));
}

export const offerModels = (select, models, chosen) =>
  offer(
    select,
    models.map((model) => [model.name, nameOf(model)]),
    chosen.name,
  );

/** Offer the entries of an object, each with its `words`. */
export const offerEach = (select, entries, chosen) =>
  offer(
    select,
    Object.entries(entries).map(([value, { words }]) => [value, words]),
    chosen,
  );

/** A checkbox with its label. */
export function tickBox(words, checked, changed) {
  const label = Object.assign(document.createElement("label"), { className: "check" });
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked, value: words });
  box.addEventListener("input", () => changed(box.checked));
  label.append(box, words);
  return label;
}

/** A slider with its value in words next to it. */
export class Slider {
  /** @param {HTMLInputElement} input in a label with a `b`; @param {(value: number) => void} changed */
  constructor(input, words, changed) {
    [this.input, this.words] = [input, words];
    this.label = input.closest("label").querySelector("b");
    input.addEventListener("input", () => {
      this.#say(this.value);
      changed(this.value);
    });
    this.#say(this.value);
  }

  get value() {
    return Number(this.input.value);
  }

  /** Show a value that was set elsewhere; the words may say more than the slider reaches. */
  show(value) {
    this.input.value = value;
    this.#say(value);
  }

  #say(value) {
    this.label.textContent = this.words(value);
    this.input.setAttribute("aria-valuetext", this.words(value));
  }
}
