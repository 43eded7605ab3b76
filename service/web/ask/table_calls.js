/** The prediction of a file as a curl command, and on the command line. */

import { curlOfFile } from "./calls.js";
import { queryOf, TYPE } from "./tables.js";

/** @param {string} name of the file; @param {object} options as of `queryOf` */
export const callsOf = (name, options) => ({
  curl: curlOfFile(`v1/predict?${queryOf(options)}`, TYPE, name),
  command: command(name, options),
});

function command(name, { target, interval, model, kinds }) {
  const own = [
    ...(interval ? [`--interval ${interval}`] : []),
    ...(model ? [`--model ${model}`] : []),
    ...Object.entries(kinds).map(([column, kind]) => `--kind ${quoted(`${column}=${kind}`)}`),
  ];
  return ["gdssm predict", quoted(name), `--target ${quoted(target)}`, ...own].join(" ");
}

/** A word of a shell. */
const quoted = (text) => (/^[\w.,:=/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
