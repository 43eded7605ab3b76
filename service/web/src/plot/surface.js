/** A decision surface: the colour of the likeliest class, the stronger the surer, behind whatever is drawn over it. */

import { channels } from "./colours.js";

const FINER = 4; // pixels of the image to one cell of the grid, in each direction
const [FAINTEST, STRONGEST] = [0.06, 0.42];

/**
 * @param {{probabilities: number[][], columns: number}} grid row by row from the top left, K numbers each
 * @param {{classes: string[]}} palette
 * @returns {HTMLCanvasElement} an image of it
 */
export function surfaceOf({ probabilities, columns }, palette) {
  const K = probabilities[0].length;
  const [width, height] = [columns, probabilities.length / columns].map((cells) => (cells - 1) * FINER + 1);
  const image = new ImageData(width, height);
  const paints = palette.classes.map(channels);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const { k, p } = likeliest(probabilities, columns, K, row / FINER, column / FINER);
      const sureness = Math.max(0, (p - 1 / K) / (1 - 1 / K));
      const alpha = Math.round(255 * (FAINTEST + (STRONGEST - FAINTEST) * sureness));
      image.data.set([...paints[k], alpha], 4 * (row * width + column));
    }
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** The likeliest class between grid points, where probabilities are interpolated. */
function likeliest(probabilities, columns, K, row, column) {
  const rows = probabilities.length / columns;
  const [top, left] = [Math.min(rows - 2, Math.floor(row)), Math.min(columns - 2, Math.floor(column))];
  const [down, right] = [row - top, column - left];
  const corner = top * columns + left;
  const [a, b] = [probabilities[corner], probabilities[corner + 1]];
  const [c, d] = [probabilities[corner + columns], probabilities[corner + columns + 1]];
  let best = { k: 0, p: -1 };
  for (let k = 0; k < K; k += 1) {
    const p = (1 - down) * ((1 - right) * a[k] + right * b[k]) + down * ((1 - right) * c[k] + right * d[k]);
    if (p > best.p) best = { k, p };
  }
  return best;
}

/** A plugin of Chart.js that paints `image()` over the whole chart area, under everything else. */
export const underneath = (image) => ({
  id: "surface",
  beforeDatasetsDraw({ ctx, chartArea: { left, top, width, height } }) {
    if (image()) ctx.drawImage(image(), left, top, width, height);
  },
});
