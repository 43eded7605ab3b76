/** The notes of an answer, in sentences. */

const NAMED = 5; // columns or rows that one sentence names

const SENTENCES = {
  constant_columns: ({ columns }, about) => `${constant(columns.map(about.column))} left out.`,
  beyond_observations: ({ queries }, about) =>
    `${about.queries(queries)} too far from the observations: predicted as at the edge of their reach.`,
  one_observation: () => "There is one observation: the prediction is its y, and there is no interval yet.",
  constant_y: () => "All observations have the same y: it is the prediction, and the interval has no width.",
  linear_only: () => "There are too many columns for curves: the prediction is made of straight lines.",
  fewer_observations_than_columns: () =>
    "There are fewer observations than columns: the predictions are pulled towards the mean.",
};

/**
 * @param {HTMLElement} element is hidden if there is nothing to say
 * @param {{code: string, columns?: number[], queries?: number[]}[]} [notes]
 * @param {{column: (j: number) => string, queries: (rows: number[]) => string}} about the name of a column; the
 *   subject and verb of a sentence on queries
 */
export function showNotes(element, notes = [], about) {
  const sentences = notes.map((note) => SENTENCES[note.code]?.(note, about) ?? `Note of the service: ${note.code}.`);
  element.textContent = sentences.join(" ");
  element.hidden = sentences.length === 0;
}

/** Names in a row, the first of them if they are many. */
export const listed = (names) =>
  names.length > NAMED ? `${names.slice(0, NAMED).join(", ")} and others` : names.join(", ");

const constant = (names) =>
  names.length > 1
    ? `${listed(names)} do not vary among the observations and are`
    : `${names[0]} does not vary among the observations and is`;
