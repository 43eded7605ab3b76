/** The call that does the same as the page, in Python with the service's client, in JavaScript and with curl. */

import { key } from "./key.js";
import { inJson, inPython } from "./written.js";

const ROOT = new URL(".", location.href).href;
const JSON_TYPE = "application/json";

/** The service's own address, as its clients want it. */
export const SERVICE = ROOT.replace(/\/$/, "");

export const INSTALL = {
  python: "# In a checkout of gdssm: pip install ./clients/python",
  command: "# In a checkout of gdssm: pip install '.[client]'",
  curl: "# Nothing to install but curl.",
  javascript: "// Nothing to install: Node 18 or later, saved as call.mjs.",
};

/**
 * @param {object} request a body of POST /v1/predict
 * @param {{x: any[][], query: any[][], code: {python: string, javascript: string}}} [made] the rows of which features
 *   are made, and the function that makes them
 */
export const callsOf = (request, made) => ({
  python: `${opening(made?.code.python)}
${inputsInPython(request, made)}
${printedInPython(request)}`,
  javascript: `${INSTALL.javascript}
${inputsInJavaScript(request, made)}
${sentInJavaScript(request)}
console.log(${printedInJavaScript(request)});`,
  curl: `${INSTALL.curl}\n${curl("v1/predict", request)}`,
});

/** Several gradient steps, one at a time, as `ask/descent.js` takes them. */
export const callsOfSteps = (request, steps, made) => ({
  python: `${opening(made?.code.python)}
${inputsInPython(request, made)}
fitted = [0.0] * (len(x) + len(query))
for step in range(${steps}):  # one step from here is one step from zero on the residuals
    left = [value - fit for value, fit in zip(y, fitted)]
    added = client.predict(x, left, x + query${named(request)}).prediction
    fitted = [fit + more for fit, more in zip(fitted, added)]
print(fitted[len(x) :])`,
  javascript: `${INSTALL.javascript}
${inputsInJavaScript(request, made)}
let fitted = [...x, ...query].map(() => 0);
for (let step = 0; step < ${steps}; step += 1) { // one step from here is one step from zero on the residuals
  const left = y.map((value, i) => value - fitted[i]);
  ${sentInJavaScript(request, "context: { x, y: left }, query: [...x, ...query]").replaceAll("\n", "\n  ")}
  fitted = fitted.map((fit, i) => fit + answer.prediction[i]);
}
console.log(fitted.slice(x.length));`,
});

/** The lines before a call in Python: the install line, and a client. The key itself is never shown. */
export function opening(code) {
  const [os, given] = key.get() ? ["import os\n", ', api_key=os.environ["GDSSM_API_KEY"]'] : ["", ""];
  return `${INSTALL.python}
${os}from gdssm_client import Client

client = Client("${SERVICE}"${given})${code ? `\n\n${code}\n\n` : ""}`;
}

/** From a heredoc: a command line has a largest length, and a body may be longer. */
export const curl = (route, request) =>
  `curl -s ${ROOT}${route}${optionsOfCurl(JSON_TYPE)} -d @- <<'JSON'\n${inJson(request)}\nJSON`;

/** The bytes of a file are the body. */
export const curlOfFile = (address, type, name) =>
  `curl -s '${ROOT}${address.replaceAll("'", "%27")}'${optionsOfCurl(type)} \\\n  --data-binary '@${name.replaceAll("'", "'\\''")}'`;

/** Create something; the next commands have its id as $id. */
export const curlForId = (route, request) => `id=$(${curl(route, request)}
)
id=$(echo "$id" | grep -o '[0-9a-f]\\{32\\}' | head -1)`;

export const curlToRead = (route) => `curl -s ${ROOT}${route}${optionsOfCurl()}`;

function optionsOfCurl(type) {
  const headers = [...(type ? [`Content-Type: ${type}`] : []), ...(key.get() ? ["Authorization: Bearer $GDSSM_API_KEY"] : [])];
  return headers.map((header) => ` \\\n  -H "${header}"`).join("");
}

/** The lines that send a request in JavaScript and leave `answer`; they refuse what the service refuses. */
export const fetched = (route, type, body) => `const response = await fetch("${ROOT}${route}", {
  method: "POST",
  headers: {${headersInJavaScript(type)} },
  body: ${body},
});
const answer = await response.json();
if (!response.ok) throw new Error(answer.error);`;

export const headersInJavaScript = (type) =>
  ` "Content-Type": "${type}"${key.get() ? ", Authorization: `Bearer ${process.env.GDSSM_API_KEY}`" : ""}`;

function sentInJavaScript({ model, parameters, interval }, inputs = "context: { x, y }, query") {
  const given = Object.entries({ model, parameters, interval }).filter(([, value]) => value !== undefined);
  const options = given.map(([name, value]) => `, ${name}: ${JSON.stringify(value)}`).join("");
  return fetched("v1/predict", JSON_TYPE, `JSON.stringify({ ${inputs}${options} })`);
}

const printedInJavaScript = ({ interval }) =>
  interval ? "answer.prediction, answer.interval.lower, answer.interval.upper" : "JSON.stringify(answer.prediction)";

function printedInPython(request) {
  const call = `client.predict(x, y, query${named(request)})`;
  if (!request.interval) return `print(${call}.prediction)`;
  return `answer = ${call}\nprint(answer.prediction, answer.lower, answer.upper)`;
}

const inputsInPython = ({ context, query }, made) =>
  made
    ? `x = [features(*row) for row in ${inPython(made.x)}]
y = ${inPython(context.y)}
query = [features(*row) for row in ${inPython(made.query)}]`
    : `x = ${inPython(context.x)}\ny = ${inPython(context.y)}\nquery = ${inPython(query)}`;

const inputsInJavaScript = ({ context, query }, made) =>
  made
    ? `${made.code.javascript}
const x = ${inJson(made.x)}.map((row) => features(...row));
const y = ${inJson(context.y)};
const query = ${inJson(made.query)}.map((row) => features(...row));`
    : `const x = ${inJson(context.x)};\nconst y = ${inJson(context.y)};\nconst query = ${inJson(query)};`;

function named({ model, parameters, interval }) {
  const given = Object.entries({ model, parameters, interval }).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `, ${name}=${inPython(value)}`).join("");
}
