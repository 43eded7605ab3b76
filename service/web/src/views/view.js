/** What the views have in common: controls, a state, a question that follows from it, and a place for the answer. */

import { predict } from "../ask/api.js";
import { newestWins } from "../ask/newest.js";
import { CallPanel } from "../parts/call_panel.js";
import { Status } from "../parts/status.js";

/** A view has `refresh()`, which asks, and `show(result)`, which is given the answer. */
export class View {
  /** @param {HTMLElement} host; @param {object} state */
  constructor(host, state) {
    this.host = host;
    this.state = state;
    this.controls = host.querySelector("form.controls").elements;
    this.status = new Status(host.querySelector(".status"), () => this.refresh());
    this.calls = new CallPanel(host.querySelector(".calls"));
    this.ask = newestWins(
      (question, signal) => this.answer(question, signal),
      (result) => this.show(result),
      (error) => this.failed(error),
    );
  }

  /** @param {Error} error */
  failed(error) {
    this.status.failed(error);
  }

  /** The element that the page names `data-part`. */
  part(name) {
    return this.host.querySelector(`[data-part=${name}]`);
  }

  change(part) {
    Object.assign(this.state, part);
    this.refresh();
  }

  /** Change the state when a control changes. */
  when(name, part) {
    const control = this.controls[name];
    control.addEventListener("change", () => this.change(part(control.value)));
  }

  /** @param {{request: object} | null} question null if there is nothing to ask */
  async answer(question, signal) {
    return question && { ...question, ...(await predict(question.request, signal)) };
  }
}
