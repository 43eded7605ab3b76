/** The call that does the same, as Python, as curl and, where there is one, as a command; with a button that copies. */

const SAID_FOR = 1600; // ms

export class CallPanel {
  /** @param {HTMLElement} host where the template goes */
  constructor(host) {
    host.append(document.querySelector("#calls-template").content.cloneNode(true));
    this.code = host.querySelector("code");
    this.about = host.querySelector("[data-part=about]");
    this.copy = host.querySelector("[data-part=copy]");
    this.host = host;
    this.language = "python";
    this.buttons = [...host.querySelectorAll("[data-language]")];
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.#choose(button.dataset.language));
    }
    this.copy.addEventListener("click", () => this.#copy());
    this.clear();
  }

  /** @param {{[language: string]: string}} calls; @param {string} about what they ask for, in a sentence */
  show(calls, about) {
    this.calls = calls;
    this.about.textContent = about;
    this.host.hidden = false;
    for (const button of this.buttons) button.hidden = !(button.dataset.language in calls);
    this.#choose(this.language in calls ? this.language : Object.keys(calls)[0]);
  }

  /** There is nothing to ask. */
  clear() {
    this.calls = {};
    this.host.hidden = true;
  }

  #choose(language) {
    this.language = language;
    this.code.textContent = this.calls[language];
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.language === language);
  }

  /** The clipboard is for secure addresses only; elsewhere the text is selected for the visitor to copy. */
  async #copy() {
    clearTimeout(this.said);
    try {
      await navigator.clipboard.writeText(this.calls[this.language]);
      this.copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(this.code);
      this.copy.textContent = "Selected: press Ctrl+C";
    }
    this.said = setTimeout(() => (this.copy.textContent = "Copy"), SAID_FOR);
  }
}
