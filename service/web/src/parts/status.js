/** The latency of the last request or its error in the service's words; and a field for the key, if it needs one. */

import { key } from "../ask/key.js";
import { tenths } from "./numbers.js";

const PRIVATE = "This service is private. Ask whoever runs it for a key."; // words: allow

export class Status {
  /** @param {HTMLElement} host where the template goes; @param {() => void} retry asks again, with the new key */
  constructor(host, retry) {
    host.append(document.querySelector("#status-template").content.cloneNode(true));
    const part = (name) => host.querySelector(`[data-part=${name}]`);
    [this.latency, this.problem, this.keyForm] = ["latency", "problem", "key"].map(part);
    this.keyForm.addEventListener("submit", (event) => {
      event.preventDefault();
      key.set(new FormData(this.keyForm).get("key"));
      retry();
    });
  }

  /** @param {{roundTrip: number, compute: number | null} | null} latency in milliseconds */
  answered(latency) {
    this.problem.hidden = this.keyForm.hidden = true;
    this.latency.textContent = latency === null ? "" : wordsOf(latency);
  }

  /** @param {Error} error */
  failed(error) {
    this.latency.textContent = "";
    this.problem.textContent = error.status === 401 && !key.get() ? PRIVATE : error.message;
    this.problem.hidden = false;
    this.keyForm.hidden = error.status !== 401;
  }
}

const wordsOf = ({ roundTrip, compute }) =>
  `Answered in ${tenths(roundTrip)} ms${compute === null ? "" : `, ${tenths(compute)} ms of it in the service`}.`;
