/** The effects of columns as small plots on one scale, the strongest first. */

import { EffectPlot } from "../plot/effect_plot.js";

const MOST_PLOTS = 9;
const PARTS = { time_of_day: "time of day", day_of_week: "day of the week", day_of_year: "day of the year" };

export class Effects {
  /** @param {HTMLElement} host; @param {HTMLTemplateElement} template of one plot with its name */
  constructor(host, template) {
    this.plots = Array.from({ length: MOST_PLOTS }, () => {
      host.append(template.content.cloneNode(true));
      const figure = host.lastElementChild;
      return { figure, name: figure.querySelector("figcaption"), plot: new EffectPlot(figure) };
    });
  }

  /** @param {object[]} effects of `POST /v1/assess`. @returns {number} how many are drawn */
  show(effects) {
    const vary = effects.filter(({ values, strength }) => values.length > 1 && strength > 0);
    const strongest = vary.sort((a, b) => b.strength - a.strength).slice(0, MOST_PLOTS);
    const ends = endsOf(strongest);
    this.plots.forEach(({ figure, name, plot }, i) => {
      figure.hidden = i >= strongest.length;
      if (figure.hidden) return;
      const { column, part } = strongest[i];
      name.textContent = PARTS[part] ? `${column}: ${PARTS[part]}` : column;
      plot.show({ ...strongest[i], name: name.textContent }, ends);
    });
    return strongest.length;
  }
}

/** From the lowest to the highest of all that is drawn; a bound may be null. */
function endsOf(effects) {
  const drawn = effects.flatMap(({ effect, lower = [], upper = [] }) => [...effect, ...lower, ...upper]);
  const numbers = drawn.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return low < high ? [low, high] : [low - 1, high + 1];
}
