/** The call that does what the page has just done, as Python and as a curl command. */

import { key } from "./key.js";

const ADDRESS = new URL("v1/predict", location.href).href;
const WIDTH = 86;

/** @param {object} request a body of POST /v1/predict */
export const callsOf = (request) => ({ python: python(request), curl: curl(request) });

function python(request) {
  return `${opening(request)}
body = json.dumps(request).encode()
with urlopen(Request("${ADDRESS}", body, header)) as answer:
    print(json.load(answer)["prediction"])`;
}

/** From a heredoc: a command line has a largest length, and a body may be longer. */
export function curl(request) {
  const headers = ["Content-Type: application/json", ...(key.get() ? ["Authorization: Bearer $GDSSM_KEY"] : [])];
  const options = headers.map((header) => ` \\\n  -H "${header}"`).join("");
  return `curl -s ${ADDRESS}${options} -d @- <<'JSON'\n${written(request, JSON_WORDS)}\nJSON`;
}

/** Several gradient steps, one at a time, as `ask/descent.js` takes them. */
export function pythonOfSteps(request, steps) {
  return `${opening(request)}
x, y, query = request["context"]["x"], request["context"]["y"], request["query"]
fitted = [0.0] * (len(x) + len(query))
request["query"] = x + query
for step in range(${steps}):  # one step from here is one step from zero on what is left over
    request["context"]["y"] = [value - fit for value, fit in zip(y, fitted)]
    body = json.dumps(request).encode()
    with urlopen(Request("${ADDRESS}", body, header)) as answer:
        fitted = [fit + more for fit, more in zip(fitted, json.load(answer)["prediction"])]
print(fitted[len(x) :])`;
}

/** The key itself is never written down. */
function opening(request) {
  const authorization = `, "Authorization": f"Bearer {os.environ['GDSSM_KEY']}"`;
  return `import json
${key.get() ? "import os\n" : ""}from urllib.request import Request, urlopen

request = ${written(request, PYTHON_WORDS)}
header = {"Content-Type": "application/json"${key.get() ? authorization : ""}}`;
}

const JSON_WORDS = { true: "true", false: "false", null: "null" };
const PYTHON_WORDS = { true: "True", false: "False", null: "None" };

/** Write a value over several lines, none much longer than WIDTH, in JSON or with Python's words. */
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
