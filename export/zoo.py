"""The shipped models and their manifests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from export import states
from export.graph import ClassificationGraph, DistributionGraph, Graph, Model, OneShotGraph, Signature, StreamingGraph
from export.trained import RUNS, load, load_regressor
from gdssm import feature_plan
from gdssm.cross_entropy import SAFE_STEP, CrossEntropyDescent, OneStepClassifier
from gdssm.feature_plan import FeaturePlan
from gdssm.least_squares import LeastSquaresClassifier
from gdssm.model import LINE_SEARCH, GradientDescent, StandardizedDescent
from gdssm.sequence.regression import RegressorConfig
from gdssm.stack import StackConfig
from gdssm.streaming import StreamingStack
from gdssm.train.presets import PRESETS
from service.inference.artifact import Assumptions, MergeRule, ParameterSpec, Task

SCAN, MOMENTS, NONE = MergeRule(rule="scan"), MergeRule(rule="moments"), MergeRule(rule="none")
CELLS = MergeRule(rule="cells")
ONE_HOT = "one-hot rows, one column a class"
STANDARDIZED_STEPS = 8
AS_TRAINED = "as in training, see training.config.task"

LEARNING_RATE = ParameterSpec(
    name="learning_rate",
    default=LINE_SEARCH,
    above=0.0,
    meaning="length of every gradient step; left out (0 in the graph), each step takes its own, see step_size",
)


@dataclass(frozen=True)
class Entry:
    """One model of the zoo."""

    name: str
    summary: str
    make: Callable[[], Graph]
    assumes: Assumptions
    gradient_steps: int
    step_size: str
    linear_in_y: bool
    merge: MergeRule
    affine_in_query: bool = False
    linear_in_y_given: tuple[str, ...] = ()
    task: Task = "regression"
    run: Path | None = None
    """Directory of the training run that a trained model comes from."""
    version: str = "1.0.0"
    superseded: bool = False
    """Whether a higher version is shipped too; kept for one release, for contexts of this version."""

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}-{self.version}.onnx" if self.superseded else f"{self.name}.onnx"


def _raw(steps: int, summary: str) -> Entry:
    signature = Signature("float64", parameters=[LEARNING_RATE], state=states.GATED_SUM)
    return Entry(
        name=f"gd-{steps}",
        summary=summary,
        make=lambda: StreamingGraph(GradientDescent([LINE_SEARCH] * steps), signature),
        assumes=Assumptions(x="centred, of similar scale", y="centred: there is no intercept"),
        gradient_steps=steps,
        step_size="exact line search on the context, for each step and output; or learning_rate, if given",
        linear_in_y=False,
        linear_in_y_given=(LEARNING_RATE.name,),
        affine_in_query=True,
        merge=SCAN,
    )


def _evidence(
    name: str,
    summary: str,
    plan: FeaturePlan,
    version: str,
    task: Task = "regression",
) -> Entry:
    state = states.FEATURES if plan.makes_features else states.CELLS
    make = DistributionGraph if task == "regression" else ClassificationGraph
    return Entry(
        name=name,
        summary=summary,
        make=lambda: make(Signature("float64", state=state, plan=plan, task=task)),
        assumes=Assumptions(
            x="any location and scale; NaN for a missing cell",
            y="any location and scale" if task == "regression" else ONE_HOT,
        ),
        gradient_steps=0,
        step_size="gradient flow, averaged over its stopping time by the evidence of the context",
        linear_in_y=False,  # the evidence looks at y
        merge=CELLS,
        task=task,
        version=version,
    )


def _standardized(name: str, summary: str, make: Callable[[], Model], *, task: Task) -> Entry:
    regression = task == "regression"
    return Entry(
        name=name,
        summary=summary,
        make=lambda: StreamingGraph(make(), Signature("float64", state=states.MOMENTS)),
        assumes=Assumptions(x="any location and scale", y="any location and scale" if regression else ONE_HOT),
        gradient_steps=STANDARDIZED_STEPS,
        step_size="1/λ, λ a close upper bound of the largest eigenvalue of the standardised second moments of x",
        linear_in_y=regression,
        affine_in_query=regression,
        merge=MOMENTS,
        task=task,
        superseded=True,
    )


def _softmax(steps: int) -> Entry:
    streaming = Signature("float64", parameters=[LEARNING_RATE], state=states.RESIDUAL_SUM)
    one_shot = Signature("float64", parameters=[LEARNING_RATE])

    def make() -> Graph:
        if steps == 1:
            return StreamingGraph(OneStepClassifier(), streaming)
        return OneShotGraph(CrossEntropyDescent([SAFE_STEP] * steps), one_shot)

    how = "One gradient step" if steps == 1 else f"{steps} gradient steps, one-shot (each passes over the context),"
    return Entry(
        name=f"softmax-{steps}",
        summary=f"{how} on softmax cross-entropy from W₀ = 0, on raw x.",
        make=make,
        assumes=Assumptions(x="centred, of similar scale: there is no intercept", y=ONE_HOT),
        gradient_steps=steps,
        step_size="2/λ, λ a close upper bound of the largest eigenvalue of mean x xᵀ; or learning_rate, if given",
        linear_in_y=False,
        merge=SCAN if steps == 1 else NONE,
        task="classification",
    )


def trained(
    run: Path,
    model: StackConfig | RegressorConfig,
    name: str,
    summary: str,
    *,
    version: str = "1.0.0",
    x: str = AS_TRAINED,
) -> Entry:
    """Describe the model of a finished run.

    Args:
        run: Directory of the run.
        model: Sizes of its stack or of its sequence model.
        name: Of the model.
        summary: Of the model, one sentence.
        version: Of the model.
        x: Assumed of x.
    """

    def make() -> Graph:
        if isinstance(model, RegressorConfig):
            regressor = load_regressor(run, model)
            state = states.sequence(regressor.empty_state(1, model.inputs, model.outputs))
            return StreamingGraph(regressor, Signature("float32", model.inputs, model.outputs, state=state))
        stack = load(run)
        signature = Signature(
            "float32", model.inputs, model.outputs, state=states.open_window(stack.decay_logit.shape[0])
        )
        return StreamingGraph(StreamingStack(stack), signature)

    return Entry(
        name=name,
        summary=summary,
        make=make,
        assumes=Assumptions(x=x, y=AS_TRAINED),
        gradient_steps=model.layers * (model.steps if isinstance(model, RegressorConfig) else 1),
        step_size="learnt",
        linear_in_y=False,  # affine in the query only up to small learnt weights
        merge=NONE,
        run=run,
        version=version,
    )


def _shipped(name: str, summary: str, x: str) -> Entry:
    return trained(RUNS / name, PRESETS[name].model, name, summary, x=x)


UNIFORM = "uniform in (−1, 1), 10 columns, about 10 observations"
SINE = "uniform in (−5, 5), one column, about 10 observations"

ENTRIES = (
    _evidence(
        "nonlinear",
        "Smooth steps of every column and products of two, averaged by evidence; nothing to tune, with intervals.",
        feature_plan.NONLINEAR,
        "1.0.0",
    ),
    _evidence(
        "linear",
        "Ridge regression as descent, averaged over its stopping time by evidence; nothing to tune, with intervals.",
        feature_plan.LINEAR,
        "2.0.0",
    ),
    _raw(1, "One gradient step from W₀ = 0 on raw x and y: the paper's layer."),
    _raw(8, "Eight gradient steps from W₀ = 0 on raw x and y."),
    _standardized(
        "linear",
        f"{STANDARDIZED_STEPS} gradient steps on standardised data with an intercept; nothing to tune.",
        lambda: StandardizedDescent(STANDARDIZED_STEPS),
        task="regression",
    ),
    _evidence(
        "classifier",
        "The features of nonlinear, their evidence, and discriminant analysis of the classes' scores; nothing to tune.",
        feature_plan.NONLINEAR,
        "2.0.0",
        task="classification",
    ),
    _standardized(
        "classifier",
        f"The model linear on one-hot classes ({STANDARDIZED_STEPS} steps), its scores turned into probabilities.",
        lambda: LeastSquaresClassifier(STANDARDIZED_STEPS),
        task="classification",
    ),
    _softmax(1),
    _softmax(8),
    _shipped("linear-trained", "One layer trained from random weights on linear tasks: it arrives at gd-1.", UNIFORM),
    _shipped("linear-vector-trained", "The same for ten outputs.", UNIFORM),
    _shipped("linear-2step-trained", "Two layers trained from random weights on linear tasks.", UNIFORM),
    _shipped("sine-trained", "A feature map and one layer, trained on sines of unknown amplitude and phase.", SINE),
    _shipped("sine-4step-trained", "A feature map and four layers, trained on the same sines.", SINE),
)
