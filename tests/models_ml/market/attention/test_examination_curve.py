import numpy as np
import pytest

from models.db.errors import InputError
from models.ml.market.attention.examination_curve import Curve, evaluate_curve


@pytest.mark.parametrize(
    ("curve", "values"),
    [
        ("inv", [1, 1 / 2, 1 / 3, 1 / 4]),
        ("exp", [1, 0.36787944, 0.13533528, 0.04978707]),
        ("log", [1.44269504, 0.91023923, 0.72134752, 0.62133493]),
        ("log2", [1, 0.63092975, 0.5, 0.43067656]),
        ("flat", [1, 1, 1, 1]),
        ([0.9, 0.3], [0.9, 0.3, 0.3, 0.3]),  # measured values hold past their end
        ([0.2, 0.9, 0.0], [0.2, 0.9]),
        ([1, 0], []),
    ],
    ids=str,
)
def test_curves(curve: Curve, values: list[float]) -> None:
    np.testing.assert_allclose(evaluate_curve(curve, len(values)), values, rtol=1e-7)


@pytest.mark.parametrize("wrong", ["linear", [], [1.0, 1.1], [-0.1], [float("nan")], [[1.0, 0.5]]])
def test_what_is_no_curve_is_refused(wrong: Curve) -> None:
    with pytest.raises(InputError, match="examination curve"):
        evaluate_curve(wrong, 3)
