/** A context that learns rows and takes one out again, in Python with the service's client, in JavaScript and with curl. */

import { curl, curlForId, headersInJavaScript, INSTALL, opening, SERVICE } from "./calls.js";
import { inJson, inPython } from "./written.js";

const MODEL = "nonlinear";
const MISTAKE = { x: [[15]], y: [2.1] };

/** @param {{x: number, y: number}[]} rows; @param {{center: number[], spread: number[]}} scale; @param {number} asked */
export function callsOf(rows, scale, asked) {
  const [x, y] = [rows.map((row) => [row.x]), rows.map((row) => row.y)];
  return { python: python(x, y, scale, asked), javascript: javascript(x, y, scale, asked), curl: inShell(x, y, scale, asked) };
}

const python = (x, y, { center, spread }, asked) => `${opening()}
x = ${inPython(x)}
y = ${inPython(y)}
context = client.contexts.create("${MODEL}", scale=(${inPython(center)}, ${inPython(spread)}), ttl=600)
context.observe(x, y)
context.observe(${inPython(MISTAKE.x)}, ${inPython(MISTAKE.y)})  # a mistake
context.observe(${inPython(MISTAKE.x)}, ${inPython(MISTAKE.y)}, weight=[-1])  # is taken out again
answer = context.predict([[${asked}]], interval=0.9)
print(answer.prediction, answer.lower, answer.upper)`;

const javascript = (x, y, scale, asked) => `${INSTALL.javascript}
const post = async (path, body) => {
  const headers = {${headersInJavaScript("application/json")} };
  const response = await fetch("${SERVICE}/v1/contexts" + path, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
};
const x = ${inJson(x)};
const y = ${inJson(y)};
const { id } = await post("", { model: "${MODEL}", scale: ${JSON.stringify(scale)}, ttl: 600 });
await post(\`/\${id}/observations\`, { x, y });
await post(\`/\${id}/observations\`, ${JSON.stringify(MISTAKE)}); // a mistake
await post(\`/\${id}/observations\`, ${JSON.stringify({ ...MISTAKE, weight: [-1] })}); // is taken out again
const answer = await post(\`/\${id}/predictions\`, { query: [[${asked}]], interval: 0.9 });
console.log(answer.prediction, answer.interval.lower, answer.interval.upper);`;

const inShell = (x, y, scale, asked) => `${INSTALL.curl}
${curlForId("v1/contexts", { model: MODEL, scale, ttl: 600 })}
${curl("v1/contexts/$id/observations", { x, y })}
${curl("v1/contexts/$id/observations", MISTAKE)}
${curl("v1/contexts/$id/observations", { ...MISTAKE, weight: [-1] })}
${curl("v1/contexts/$id/predictions", { query: [[asked]], interval: 0.9 })}`;
