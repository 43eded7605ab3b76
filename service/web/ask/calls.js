/** The call that does what the page has just done, as Python with the service's client and as a curl command. */

import { key } from "./key.js";
import { inJson, inPython } from "./written.js";

const ROOT = new URL(".", location.href).href;

/** The service's own address, as its clients want it. */
export const SERVICE = ROOT.replace(/\/$/, "");

/** @param {object} request a body of POST /v1/predict */
export const callsOf = (request) => ({ python: python(request), curl: curl("v1/predict", request) });

function python(request) {
  return `${opening()}
${inputs(request)}
${printed(request)}`;
}

function printed(request) {
  const call = `client.predict(x, y, query${named(request)})`;
  if (!request.interval) return `print(${call}.prediction)`;
  return `answer = ${call}\nprint(answer.prediction, answer.lower, answer.upper)`;
}

/** Several gradient steps, one at a time, as `ask/descent.js` takes them. */
export function pythonOfSteps(request, steps) {
  return `${opening()}
${inputs(request)}
fitted = [0.0] * (len(x) + len(query))
for step in range(${steps}):  # one step from here is one step from zero on the residuals
    left = [value - fit for value, fit in zip(y, fitted)]
    added = client.predict(x, left, x + query${named(request)}).prediction
    fitted = [fit + more for fit, more in zip(fitted, added)]
print(fitted[len(x) :])`;
}

/** The lines before a call in Python. The key itself is never shown. */
export function opening() {
  const [os, given] = key.get() ? ["import os\n", ', api_key=os.environ["GDSSM_API_KEY"]'] : ["", ""];
  return `${os}from gdssm_client import Client

client = Client("${SERVICE}"${given})`;
}

/** From a heredoc: a command line has a largest length, and a body may be longer. */
export function curl(route, request) {
  const headers = ["Content-Type: application/json", ...(key.get() ? ["Authorization: Bearer $GDSSM_API_KEY"] : [])];
  const options = headers.map((header) => ` \\\n  -H "${header}"`).join("");
  return `curl -s ${ROOT}${route}${options} -d @- <<'JSON'\n${inJson(request)}\nJSON`;
}

/** The bytes of a file are the body. */
export function curlOfFile(address, type, name) {
  const headers = [`Content-Type: ${type}`, ...(key.get() ? ["Authorization: Bearer $GDSSM_API_KEY"] : [])];
  const options = headers.map((header) => ` \\\n  -H "${header}"`).join("");
  return `curl -s '${ROOT}${address.replaceAll("'", "%27")}'${options} \\\n  --data-binary '@${name.replaceAll("'", "'\\''")}'`;
}

const inputs = ({ context, query }) => `x = ${inPython(context.x)}
y = ${inPython(context.y)}
query = ${inPython(query)}`;

function named({ model, parameters, interval }) {
  const given = Object.entries({ model, parameters, interval }).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `, ${name}=${inPython(value)}`).join("");
}
