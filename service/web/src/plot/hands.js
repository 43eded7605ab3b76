/** What takes hold of a mark on a plot: a pointer that drags it, or the arrow keys. */

const SVG = "http://www.w3.org/2000/svg";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STRIDE = 0.01; // of the axis; ten times as far with Shift

/** Make an SVG element. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Where on the axes a pointer is. */
export function under(event, svg, { x, y }) {
  const { left, top } = svg.getBoundingClientRect();
  return within({ x, y }, x.getValueForPixel(event.clientX - left), y.getValueForPixel(event.clientY - top));
}

/** Where an arrow key takes a mark from a place; null for any other key. */
export function beyond(event, { x, y }, [across, up]) {
  if (!(event.key in ARROWS)) return null;
  const [a, b] = ARROWS[event.key].map((step) => step * STRIDE * (event.shiftKey ? 10 : 1));
  return within({ x, y }, across + a * (x.max - x.min), up + b * (y.max - y.min));
}

/** Call back for every move of a pointer that has taken hold of a mark. */
export function onDrag(mark, moved) {
  mark.addEventListener("pointerdown", (event) => {
    if (event.button === 0) mark.setPointerCapture(event.pointerId);
  });
  mark.addEventListener("pointermove", (event) => {
    if (mark.hasPointerCapture(event.pointerId)) moved(event);
  });
}

const clamp = (value, { min, max }) => Math.min(max, Math.max(min, value));

/** The nearest place on the plot. */
export const within = ({ x, y }, a, b) => [clamp(a, x), clamp(b, y)];
