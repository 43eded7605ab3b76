/** The prediction of a file in Python, in JavaScript, with curl, and on the command line. */

import { curlOfFile, fetched, INSTALL, SERVICE } from "./calls.js";
import { key } from "./key.js";
import { queryOf, TYPE } from "./tables.js";
import { inPython } from "./written.js";

/** @param {string} name of the file; @param {object} options as of `queryOf` */
export const callsOf = (name, options) => ({
  python: python(name, options),
  javascript: javascript(name, options),
  curl: `${INSTALL.curl}\n${curlOfFile(`v1/predict?${queryOf(options)}`, TYPE, name)}`,
  command: command(name, options),
});

function python(name, { kinds, ...fields }) {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const kind = Object.entries(kinds).map(([column, is]) => `${column}:${is}`);
  const headers = key.get() ? ', "Authorization": "Bearer " + os.environ["GDSSM_API_KEY"]' : "";
  return `# pip install httpx
${key.get() ? "import os\n" : ""}from pathlib import Path

import httpx

response = httpx.post(
    "${SERVICE}/v1/predict",
    params=${inPython({ ...given, ...(kind.length && { kind }) })},
    content=Path(${inPython(name)}).read_bytes(),
    headers={"Content-Type": "${TYPE}"${headers}},
    timeout=60,
)
answer = response.json()
print(answer["prediction"] if response.is_success else answer["error"])`;
}

const javascript = (name, options) => `// Nothing to install: Node 18 or later, saved as call.mjs next to the file.
import { readFile } from "node:fs/promises";

const body = await readFile(${JSON.stringify(name)});
${fetched(`v1/predict?${queryOf(options)}`, TYPE, "body")}
console.log(JSON.stringify(answer.prediction));`;

function command(name, { target, interval, model, kinds }) {
  const own = [
    ...(interval ? [`--interval ${interval}`] : []),
    ...(model ? [`--model ${model}`] : []),
    ...Object.entries(kinds).map(([column, kind]) => `--kind ${quoted(`${column}=${kind}`)}`),
  ];
  return [`${INSTALL.command}\ngdssm predict`, quoted(name), `--target ${quoted(target)}`, ...own].join(" ");
}

/** A word of a shell. */
const quoted = (text) => (/^[\w.,:=/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
