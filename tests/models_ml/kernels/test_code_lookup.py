import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.kernels.code_lookup import find_codes

CODES = st.integers(-3, 60)


@given(st.lists(CODES, unique=True), st.lists(CODES), st.booleans())
def test_codes_are_found_in_any_order(codes: list[int], wanted: list[int], in_order: bool) -> None:
    codes = sorted(codes) if in_order else codes
    found = find_codes(np.array(wanted, np.int64), np.array(codes, np.int64))
    assert found.tolist() == [codes.index(code) if code in codes else -1 for code in wanted]
