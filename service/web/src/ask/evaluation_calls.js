/** The evaluation that the page would start, as Python with the service's client, as curl, and on the command line. */

import { curlForId, curlToRead, headersInJavaScript, INSTALL, opening, SERVICE } from "./calls.js";
import { inJson, inPython } from "./written.js";

const WAIT_LIMIT = 7200; // seconds, as in the Python client

/** @param {object} request a body of POST /v1/evaluations */
export const callsOf = (request) => ({
  python: python(request),
  javascript: javascript(request),
  curl: inShell(request),
  command: command(request),
});

function python({ models, ...options }) {
  const given = Object.entries(options).map(([name, value]) => `${name}=${inPython(value)}`);
  return `${opening()}
evaluation = client.evaluations.submit(
    ${inPython(models)},
    ${given.join(", ")},
)
for score in evaluation.results():
    print(score.distribution, score.learner, score.refused or score.r2.mean)`;
}

const javascript = (request) => `${INSTALL.javascript}
const call = async (path, options) => {
  const headers = {${headersInJavaScript("application/json")} };
  const answer = await (await fetch("${SERVICE}/v1/evaluations" + path, { headers, ...options })).json();
  if (answer.error) throw new Error(answer.error);
  return answer;
};
const { id } = await call("", { method: "POST", body: JSON.stringify(${inJson(request)}) });
const end = Date.now() + ${WAIT_LIMIT * 1000};
let evaluation = await call(\`/\${id}\`);
while (evaluation.finished === null) {
  if (Date.now() > end) throw new Error(\`The evaluation \${id} goes on after ${WAIT_LIMIT / 60} minutes.\`);
  await new Promise((wake) => setTimeout(wake, 1000));
  evaluation = await call(\`/\${id}\`);
}
for (const { distribution, learner, refused, r2 } of evaluation.results) {
  console.log(distribution, learner, refused ?? r2.mean);
}`;

const inShell = (request) => `${INSTALL.curl}
${curlForId("v1/evaluations", request)}
while ${curlToRead("v1/evaluations/$id")} | grep -q '"finished":null'; do sleep 1; done
${curlToRead("v1/evaluations/$id")}`;

function command({ suite, models, seed, tasks, queries, observations, curve }) {
  return [
    `${INSTALL.command}\ngdssm eval --url ${SERVICE} --suite ${suite}`,
    models.map((name) => `--model ${name}`).join(" "),
    `--seed ${seed} --tasks ${tasks} --queries ${queries} --observations ${observations} --curve ${curve.join(",")}`,
    "--out evaluation",
  ].join(" \\\n  ");
}
