/** Starts the page: asks which models are served, then shows the view that the address names. */

import { models } from "./ask/api.js";
import { Status } from "./parts/status.js";
import { ClassesView } from "./views/classes.js";
import { CurveView } from "./views/curve.js";
import { EvaluationsView } from "./views/evaluations.js";
import { TableView } from "./views/table.js";

const VIEWS = { curve: CurveView, classes: ClassesView, table: TableView, evaluations: EvaluationsView };
const started = new Set();
const trouble = document.querySelector("#trouble");
const status = new Status(trouble, () => load());
let served = null;

const named = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "curve");

/** Show one view and hide the others; a view starts when it is first shown, and none is shown before the models are known. */
function show(view) {
  for (const name of Object.keys(VIEWS)) document.getElementById(name).hidden = !served || name !== view;
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (served && !started.has(view)) {
    new VIEWS[view](document.getElementById(view), served);
    started.add(view);
  }
}

/** Show errors that occur before a view exists above all views. */
function tried(action) {
  return async () => {
    try {
      await action();
      trouble.hidden = true;
    } catch (error) {
      trouble.hidden = false;
      status.failed(error);
    }
  };
}

const load = tried(async () => {
  show(named());
  served = await models();
  show(named());
});

addEventListener(
  "hashchange",
  tried(() => show(named())),
);
load();
