/** Text that the visitor keeps as a file. */

const KEPT = 60_000; // ms; a browser may ask before it saves

export function download(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT);
}
