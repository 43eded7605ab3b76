/** The area between two curves, filled. */

import { channels } from "./colours.js";

const EDGE = { parsing: false, pointRadius: 0, pointHitRadius: 0 };

/**
 * @param {{x: number, y: number}[]} upper
 * @param {{x: number, y: number}[]} lower
 * @param {{colour: string, fill: number, edge?: number}} look the opacity of the area and of the line around it
 * @returns {object[]} datasets of Chart.js, to stand one after the other
 */
export function bandOf(upper, lower, { colour, fill, edge = 0 }) {
  const [red, green, blue] = channels(colour);
  const paint = (opacity) => `rgb(${red} ${green} ${blue} / ${opacity})`;
  const line = { ...EDGE, borderWidth: edge ? 1 : 0, borderColor: paint(edge) };
  return [
    { ...line, data: upper, fill: { target: "+1", above: paint(fill), below: "transparent" } },
    { ...line, data: lower },
  ];
}
