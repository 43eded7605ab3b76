"""Accuracy on real data: scikit-learn's diabetes set (442 × 10) through HTTP, beside ridge and least squares.

20 random splits for each size of context; everything else is the test set. R², median over the splits.
"""

import warnings

import httpx
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.table import markdown
from tests.running import running

Array = NDArray[np.float64]
SIZES = (20, 100, 200)
SPLITS = 20
MODELS = ("linear", "gd-8", "gd-1")
PEERS = {
    "RidgeCV": make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-3, 3, 13))),
    "least squares": LinearRegression(),
}


def scores(client: httpx.Client, x: Array, y: Array, size: int, seed: int) -> dict[str, float]:
    """Score every model and every peer on one split: R² by name."""
    order = np.random.default_rng(seed).permutation(len(x))
    context, rest = order[:size], order[size:]
    predictions = {name: _ask(client, name, x[context], y[context], x[rest]) for name in MODELS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RidgeCV's leave-one-out scorer warns on the smallest contexts
        predictions |= {name: peer.fit(x[context], y[context]).predict(x[rest]) for name, peer in PEERS.items()}
    return {name: float(r2_score(y[rest], prediction)) for name, prediction in predictions.items()}


def medians(url: str) -> dict[int, dict[str, float]]:
    """Score everything on every split: the median R² by size of context and name."""
    x, y = load_diabetes(return_X_y=True)
    with httpx.Client(base_url=url, timeout=60) as client:
        runs = {size: [scores(client, x, y, size, seed) for seed in range(SPLITS)] for size in SIZES}
    return {
        size: {name: float(np.median([run[name] for run in splits])) for name in splits[0]}
        for size, splits in runs.items()
    }


def _ask(client: httpx.Client, model: str, x: Array, y: Array, query: Array) -> Array:
    """Let the service answer; models without an intercept get centred y."""
    offset = 0.0 if model == "linear" else y.mean()
    context = {"x": x.tolist(), "y": (y - offset).tolist()}
    answer = client.post("/v1/predict", json={"model": model, "context": context, "query": query.tolist()})
    answer.raise_for_status()
    return np.array(answer.json()["prediction"]) + offset


def main() -> None:
    """Print the table."""
    with running() as server:
        result = medians(server.url)
    names = list(result[SIZES[0]])
    rows = [[str(size), *(f"{result[size][name]:.3f}" for name in names)] for size in SIZES]
    print(f"diabetes, R² on the rest, median of {SPLITS} splits\n")
    print(markdown(["context", *names], rows))


if __name__ == "__main__":
    main()
