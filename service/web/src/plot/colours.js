/** The page's colours, for drawings on a canvas; the style sheet defines them. */

const read = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const colours = () => ({
  accent: read("--accent"),
  ink: read("--ink"),
  muted: read("--muted"),
  grid: read("--grid"),
  surface: read("--surface"),
  negative: read("--negative"),
  classes: [0, 1, 2, 3].map((k) => read(`--class-${k}`)),
});

/** Call back when the visitor's light or dark changes. */
export const onSchemeChange = (callback) =>
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);

/** A colour as red, green and blue; the style sheet writes them as #rrggbb. */
export const channels = (hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
