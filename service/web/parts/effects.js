/** The effects of columns as small plots on one scale, the strongest first. */

import { EffectPlot } from "../plot/effect_plot.js";

const MOST_PLOTS = 6;

export class Effects {
  /** @param {HTMLElement} host; @param {HTMLTemplateElement} template of one plot with its name */
  constructor(host, template) {
    this.plots = Array.from({ length: MOST_PLOTS }, () => {
      host.append(template.content.cloneNode(true));
      const figure = host.lastElementChild;
      return { figure, name: figure.querySelector("figcaption"), plot: new EffectPlot(figure) };
    });
  }

  /** @param {object[]} effects of the answer, of columns that vary; @param {string[]} names */
  show(effects, names) {
    const strongest = effects.toSorted((a, b) => b.strength - a.strength).slice(0, MOST_PLOTS);
    const ends = endsOf(strongest);
    this.plots.forEach(({ figure, name, plot }, i) => {
      figure.hidden = i >= strongest.length;
      if (figure.hidden) return;
      name.textContent = names[strongest[i].column];
      plot.show({ ...strongest[i], name: name.textContent }, ends);
    });
  }
}

/** From the lowest to the highest of all that is drawn; a bound may be null. */
function endsOf(effects) {
  const drawn = effects.flatMap(({ effect, lower = [], upper = [] }) => [...effect, ...lower, ...upper]);
  const numbers = drawn.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return low < high ? [low, high] : [low - 1, high + 1];
}
