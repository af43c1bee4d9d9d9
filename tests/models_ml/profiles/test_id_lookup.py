import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.profiles.id_lookup import find_positions

NAMES = st.sampled_from(["a", "b", "ä", "", "a ", "zz", "nobody"])


@given(st.lists(NAMES, max_size=20), st.lists(NAMES, unique=True))
def test_positions_are_those_of_a_pandas_index(names: list[str], ids: list[str]) -> None:
    found = find_positions(names, ids)
    assert found.dtype == np.int64
    assert found.tolist() == pd.Index(ids, dtype=object).get_indexer(pd.Index(names, dtype=object)).tolist()


@pytest.mark.parametrize(
    "names",
    [
        ["b", None, "c", "b"],
        pd.Series(["b", None, "c", "b"], dtype="str", index=[7, 7, 1, 0]),
        pa.chunked_array([["b", None], ["c", "b"]]),
        np.array(["b", None, "c", "b"], object),
    ],
)
def test_names_of_any_type_and_a_missing_one_is_nowhere(names: pd.Series) -> None:
    assert find_positions(names, pd.Index(["a", "b", "c"])).tolist() == [1, -1, 2, 1]
    assert find_positions(names, np.array(["c", "b"])).tolist() == [1, -1, 0, 1]
