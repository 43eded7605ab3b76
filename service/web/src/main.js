/** Shows the view that the address names. The first view is in this bundle, the others are loaded when they are needed. */

import { models } from "./ask/api.js";
import { Status } from "./parts/status.js";
import { LiveView } from "./views/live.js";

const NAMES = ["live", "curve", "classes", "table", "evaluations"];
const started = new Map();
const trouble = document.querySelector("#trouble");
const status = new Status(trouble, () => load());
const others = () => import("./views/others.js");

const named = () => (NAMES.includes(location.hash.slice(1)) ? location.hash.slice(1) : NAMES[0]);

async function start(name) {
  const host = document.getElementById(name);
  if (name === "live") return new LiveView(host);
  const [{ VIEWS }, { models: served }] = await Promise.all([others(), models()]);
  return new VIEWS[name](host, served);
}

/** Show one view and hide the others; until it has started, it is a skeleton. */
async function show(view) {
  for (const name of NAMES) document.getElementById(name).hidden = name !== view;
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!started.has(view)) started.set(view, start(view));
  await started.get(view);
  document.getElementById(view).removeAttribute("aria-busy");
}

/** Errors that occur before a view exists are shown in its place. */
async function load() {
  const view = named();
  try {
    trouble.hidden = true;
    await show(view);
  } catch (error) {
    started.delete(view);
    document.getElementById(view).hidden = true;
    trouble.hidden = false;
    status.failed(error);
  }
}

document.querySelector("nav").addEventListener("pointerover", others, { once: true });
addEventListener("hashchange", () => location.hash === "#main" || load()); // the link that skips to the content
load();
