"""Estimators at a service need none of its modules, and compute the same numbers as those in its process."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor
from tests.running import ROOT, running

WITHOUT_SERVICE = "import sys; sys.modules.update(dict.fromkeys(('service', 'gdssm', 'export', 'pydantic')))\n"
"""Makes an import of these packages fail."""
REMOTE = """
import json
import pandas as pd
from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor

frame = pd.DataFrame(json.loads(sys.argv[1]))
y = frame.pop("y")
frame["sold"] = pd.to_datetime(frame["sold"])
regressor = GDSSMRegressor("linear", url=sys.argv[2]).partial_fit(frame[:30], y[:30]).partial_fit(frame[30:], y[30:])
classifier = GDSSMClassifier(url=sys.argv[2]).fit(frame, y > 100)
try:
    regressor.partial_fit(frame[:1], y[:1], sample_weight=[-50.0])
except ValueError as error:
    refused = str(error)
found = {
    "columns": regressor.x_columns_,
    "findings": [finding.cells for finding in regressor.findings_],
    "coef": regressor.coef_.tolist(),
    "bounds": [bound.tolist() for bound in regressor.predict_interval(frame, 0.8)],
    "strengths": [float(effect.strength) for effect in regressor.explain(0.9).effects.columns],
    "probabilities": classifier.predict_proba(frame).tolist(),
    "refused": refused,
}
print(json.dumps(found))
"""


@pytest.mark.slow
def test_estimators_without_the_service_match_those_with_it() -> None:
    generator = np.random.default_rng(0)
    size, town = generator.uniform(30, 150, 40), generator.choice(["Bern", "Basel"], 40)
    days = pd.date_range("2024-01-01", periods=40, freq="19D")
    frame = pd.DataFrame({"size": size, "town": np.where(np.arange(40) == 35, "Chur", town), "sold": days})
    y = pd.Series(size + 20.0 * (town == "Bern") + 0.1 * np.arange(40), name="y")
    rows = frame.assign(y=y, sold=days.astype(str)).to_dict(orient="list")
    with running() as server:
        command = [sys.executable, "-W", "error", "-c", WITHOUT_SERVICE + REMOTE, json.dumps(rows), server.url]
        path = {"PYTHONPATH": str(ROOT / "clients/python")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=path, cwd="/")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    regressor = GDSSMRegressor("linear").partial_fit(frame[:30], y[:30]).partial_fit(frame[30:], y[30:])
    assert found["columns"] == regressor.x_columns_
    assert "town=Chur" in found["columns"]
    assert found["findings"] == [finding.cells for finding in regressor.findings_]
    np.testing.assert_allclose(found["coef"], regressor.coef_, rtol=1e-12)
    np.testing.assert_allclose(found["bounds"], regressor.predict_interval(frame, 0.8), rtol=1e-12)
    effects = regressor.explain(0.9).effects
    assert effects is not None
    np.testing.assert_allclose(found["strengths"], [effect.strength for effect in effects.columns], rtol=1e-12)
    np.testing.assert_allclose(
        found["probabilities"], GDSSMClassifier().fit(frame, y > 100).predict_proba(frame), rtol=1e-12
    )
    with pytest.raises(ValueError, match="takes out") as refusal:
        regressor.partial_fit(frame[:1], y[:1], sample_weight=[-50.0])
    assert found["refused"] == str(refusal.value)


def test_estimator_without_url_and_service_names_the_remedy() -> None:
    code = WITHOUT_SERVICE + (
        "from sklearn.utils import get_tags\n"
        "from gdssm_client.sklearn import GDSSMRegressor\n"
        "estimator = GDSSMRegressor()\n"
        "assert not get_tags(estimator).input_tags.allow_nan\n"
        "try:\n    estimator.fit([[1.0], [2.0]], [1.0, 2.0])\nexcept ValueError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    path = {"PYTHONPATH": str(ROOT / "clients/python")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=path, cwd="/")
    assert done.returncode == 0, done.stderr
    assert "GDSSMRegressor(url='http://…')" in done.stdout
    assert "pip install '.[client]'" in done.stdout
