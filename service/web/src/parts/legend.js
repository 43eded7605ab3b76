/** One button a learner: pressed, its curve is drawn. */

import { labelOf } from "../plot/learners.js";

export class Legend {
  /** @param {HTMLElement} host; @param {string[]} hidden from the start; @param {() => void} changed */
  constructor(host, hidden, changed) {
    [this.host, this.hidden, this.changed] = [host, new Set(hidden), changed];
    this.looks = new Map();
  }

  shows(name) {
    return !this.hidden.has(name);
  }

  /** @param {Map<string, object>} looks of the learners; a button that is there already keeps its focus */
  show(looks) {
    if ([...looks.keys()].join("\n") === [...this.looks.keys()].join("\n")) return;
    this.looks = looks;
    this.host.replaceChildren(...Array.from(looks, ([name, look]) => this.#button(name, look)));
  }

  #button(name, look) {
    const button = Object.assign(document.createElement("button"), { type: "button", ariaPressed: this.shows(name) });
    button.append(labelOf(name, look));
    button.addEventListener("click", () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      button.ariaPressed = this.shows(name);
      this.changed();
    });
    return button;
  }
}
