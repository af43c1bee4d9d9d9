import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models.ml.profiles.id_lookup import find_positions


@pytest.mark.parametrize(
    "names",
    [
        ["b", None, "c", "b"],
        pd.Series(["b", None, "c", "b"], dtype="str", index=[7, 7, 1, 0]),
        pa.chunked_array([["b", None], ["c", "b"]]),
        np.array(["b", None, "c", "b"], object),
    ],
)
def test_positions_of_names_of_any_type(names: pd.Series) -> None:
    assert find_positions(names, pd.Index(["a", "b", "c"])).tolist() == [1, -1, 2, 1]
    assert find_positions(names, np.array(["c", "b"])).tolist() == [1, -1, 0, 1]
    assert find_positions(names, pd.Series([], dtype=object)).tolist() == [-1] * 4
    assert find_positions(names[:0], ["a "]).dtype == np.int64
