/** Values as source text over several lines, none much longer than WIDTH. */

const WIDTH = 86;
const JSON_WORDS = { true: "true", false: "false", null: "null" };
const PYTHON_WORDS = { true: "True", false: "False", null: "None" };

export const inJson = (value) => written(value, JSON_WORDS);
export const inPython = (value) => written(value, PYTHON_WORDS);

function written(value, words, indent = "") {
  if (value === null || typeof value === "boolean") return words[value];
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const entries = Array.isArray(value)
    ? value.map((entry) => written(entry, words, inner))
    : Object.entries(value).map(([name, entry]) => `${JSON.stringify(name)}: ${written(entry, words, inner)}`);
  const line = `${open}${entries.join(", ")}${close}`;
  if (line.length + indent.length <= WIDTH && !line.includes("\n")) return line;
  const lines = Array.isArray(value) ? filled(entries, WIDTH - inner.length) : entries;
  return `${open}\n${lines.map((entry) => inner + entry).join(",\n")}\n${indent}${close}`;
}

/** Put as many entries on each line as fit. */
function filled(entries, width) {
  const lines = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + entry.length + 2 <= width) lines[lines.length - 1] = `${last}, ${entry}`;
    else lines.push(entry);
  }
  return lines;
}
