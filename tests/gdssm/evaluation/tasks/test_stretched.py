import numpy as np
import pytest

from gdssm.evaluation.tasks.linear import Linear, Stretched

LINEAR = Linear(inputs=5, outputs=3, input_range=1.0, weight_scale=0.5)


def test_a_stretch_is_a_change_of_units() -> None:
    plain = LINEAR.sample(np.random.default_rng(0), 2, 7, 11)
    stretched = Stretched(LINEAR, input_stretch=3.0, weight_stretch=2.0).sample(np.random.default_rng(0), 2, 7, 11)
    np.testing.assert_allclose(stretched.x, 3 * plain.x)
    np.testing.assert_allclose(stretched.x_query, 3 * plain.x_query)
    np.testing.assert_allclose(stretched.y, 6 * plain.y)
    np.testing.assert_allclose(stretched.y_query, 6 * plain.y_query)


@pytest.mark.parametrize("field", ["input_stretch", "weight_stretch"])
def test_a_stretch_that_is_not_positive_is_refused_by_name(field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} is -1"):
        Stretched(**{field: -1.0})  # type: ignore[arg-type]
