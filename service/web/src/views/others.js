/** The views after the first one: they and the library of charts are loaded together. */

import { ClassesView } from "./classes.js";
import { CurveView } from "./curve.js";
import { EvaluationsView } from "./evaluations.js";
import { TableView } from "./table.js";

export const VIEWS = { curve: CurveView, classes: ClassesView, table: TableView, evaluations: EvaluationsView };
