"""All experiments, in the order of the report."""

from gdssm.reproduce.experiment import Experiment
from gdssm.reproduce.experiments import (
    alignment,
    characters,
    comparison,
    constructions,
    context_length,
    digits,
    dimension,
    drift,
    ill_conditioned,
    linear_attention,
    multi_step,
    rates,
    recall,
    seeds,
    sine,
    stretch,
    weights,
)

EXPERIMENTS = tuple(
    Experiment.of(module)
    for module in (
        constructions,
        alignment,
        weights,
        seeds,
        stretch,
        dimension,
        multi_step,
        rates,
        ill_conditioned,
        context_length,
        sine,
        drift,
        comparison,
        linear_attention,
        recall,
        digits,
        characters,
    )
)
