"""The frame contracts: the rules that rows of profiles and interactions must keep before anything is trained on them.

Cells of `texts`, `traits`, `facts` and `wants` are dicts; cells of `seeks` and `interests` are lists of str.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

import models.db.schema.profile_limits as limits
from models.db.schema.profile_limits import MAX_AGE, MAX_ANSWER_LENGTH, MIN_AGE
from models.ml.profiles.profile_sizes import SIZES

__all__ = [
    "MAX_AGE",
    "MAX_ANSWER_LENGTH",
    "MIN_AGE",
    "SURFACES",
    "check_interactions",
    "check_profiles",
    "compute_ages",
]

SURFACES = ("list", "likes", "most_compatible", "similar")
"""Where the app shows candidates."""
SURFACE_REASON = f"surface must be {', '.join(SURFACES[:-1])} or {SURFACES[-1]}"


def compute_ages(birth_date: pd.Series, as_of: date) -> pd.Series:
    """Compute completed years on the day `as_of`, as the app counts them.

    A user born on 29 February has their birthday on 1 March in other years.

    Args:
        birth_date: Dates as datetime64 values; NaT gives -1.
        as_of: The day.

    Returns:
        Ages in years, int64.
    """
    born = birth_date.dt
    before_birthday = (born.month > as_of.month) | ((born.month == as_of.month) & (born.day > as_of.day))
    years: pd.Series = (as_of.year - born.year - before_birthday).fillna(-1).astype("int64")
    return years


def _make_cell_check(rule: Callable[[Any], bool], reason: str) -> pa.Check:
    """Make a check of each cell by a rule; a cell of the wrong type fails the rule instead of raising."""

    def is_valid(cell: object) -> bool:
        try:
            return bool(rule(cell))
        except (TypeError, ValueError, AttributeError):
            return False

    def check_cells(cells: pd.Series) -> pd.Series:
        if cells.dtype == object:
            return cells.map(is_valid).astype(bool)
        # Typed columns may have few distinct values, such as two kinds of decision; each is checked once.
        code, different = pd.factorize(cells, use_na_sentinel=False)
        return pd.Series(np.array([is_valid(each) for each in different], bool)[code], cells.index)

    return pa.Check(check_cells, error=reason, ignore_na=False)


def _has_moments(cells: pd.Series) -> "pd.Series[bool]":
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.notna()
    return cells.map(lambda cell: isinstance(cell, datetime) and not pd.isna(cell)).astype(bool)


def _is_word_list(cell: Any) -> bool:  # noqa: ANN401 - the type is what it checks
    return isinstance(cell, list) and all(isinstance(word, str) and bool(word.strip()) for word in cell)


def _make_number_rule(low: float, high: float) -> Callable[[Mapping[str, Any]], bool]:
    def is_in_range(cell: Mapping[str, Any]) -> bool:
        return all(
            isinstance(number, int | float) and not isinstance(number, bool) and low <= number <= high
            for number in cell.values()
        )

    return is_in_range


def _is_text_mapping(cell: Any) -> bool:  # noqa: ANN401 - the type is what it checks
    return all(isinstance(text, str) for text in cell.values())


def _make_range_check(low: float, high: float, reason: str) -> pa.Check:
    return _make_cell_check(lambda cell: cell is None or pd.isna(cell) or low <= cell <= high, reason)


def _make_bounded_column(name: str, bounds: tuple[float, float]) -> pa.Column:
    low, high = bounds
    return pa.Column(checks=_make_range_check(low, high, f"{name} must be {low:,} to {high:,}"), nullable=True)


def _make_sized_column(name: str, rule: Callable[[Any], bool], reason: str) -> pa.Column:
    """Make a column with its own rule in addition to those of size."""
    return pa.Column(
        checks=[_make_cell_check(each, why) for each, why in ((rule, reason), *SIZES[name])], nullable=True
    )


def _make_key_column(name: str) -> pa.Column:
    rule = _make_cell_check(lambda key: isinstance(key, str) and bool(key), f"{name} is missing")
    return pa.Column(unique=True, report_duplicates="exclude_first", checks=rule, nullable=True)


def _make_profiles_contract() -> pa.DataFrameSchema:
    age = f"age must be {MIN_AGE} to {MAX_AGE}"
    return pa.DataFrameSchema(
        {
            "profile_id": _make_key_column("profile_id"),
            "age": pa.Column(checks=_make_cell_check(lambda years: MIN_AGE <= years <= MAX_AGE, age), nullable=True),
            "gender": _make_sized_column("gender", lambda word: bool(word.strip()), "gender is missing"),
            "seeks": _make_sized_column("seeks", _is_word_list, "seeks must be a list of genders"),
            "age_min": _make_bounded_column("age_min", limits.AGE_LIMITS),
            "age_max": _make_bounded_column("age_max", limits.AGE_LIMITS),
            "latitude": _make_bounded_column("latitude", limits.LATITUDES),
            "longitude": _make_bounded_column("longitude", limits.LONGITUDES),
            "max_distance_km": _make_bounded_column("max_distance_km", limits.DISTANCES_KM),
            "texts": _make_sized_column("texts", _is_text_mapping, "texts must be strings"),
            "interests": _make_sized_column("interests", _is_word_list, "interests must be a list of words"),
            "traits": _make_sized_column("traits", _make_number_rule(*limits.TRAITS), "traits must be finite numbers"),
            "facts": _make_sized_column(
                "facts", lambda cell: _is_word_list(list(cell.values())), "facts must be words"
            ),
            "wants": _make_sized_column(
                "wants", _make_number_rule(*limits.WANTS), "wants must be importances from 0 to 1"
            ),
            "paused": pa.Column(
                checks=_make_cell_check(lambda cell: isinstance(cell, bool | np.bool_), "paused must be true or false"),
                nullable=True,
            ),
        },
    )


def _make_interactions_contract(people: frozenset[str]) -> pa.DataFrameSchema:
    def make_person_column(name: str) -> pa.Column:
        rule = _make_cell_check(lambda key: key in people, f"{name} is not among the accepted profiles")
        return pa.Column(checks=rule, nullable=True)

    return pa.DataFrameSchema(
        {
            "interaction_id": _make_key_column("interaction_id"),
            "actor_id": make_person_column("actor_id"),
            "target_id": make_person_column("target_id"),
            "kind": pa.Column(
                checks=_make_cell_check(lambda kind: kind in ("like", "pass"), "kind must be like or pass"),
                nullable=True,
            ),
            "created_at": pa.Column(
                checks=pa.Check(_has_moments, error="created_at is missing", ignore_na=False), nullable=True
            ),
            "position": pa.Column(checks=_make_range_check(1, 1e9, "position must be 1 or more"), nullable=True),
            "propensity": pa.Column(checks=_make_range_check(0, 1, "propensity must be 0 to 1"), nullable=True),
            "surface": pa.Column(
                checks=_make_cell_check(lambda cell: cell in SURFACES or pd.isna(cell), SURFACE_REASON),
                nullable=True,
                required=False,
            ),
        },
        checks=pa.Check(
            lambda frame: frame["actor_id"].astype(object) != frame["target_id"].astype(object),
            error="actor and target are the same person",
        ),
    )


def check_profiles(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split profiles into those that keep the contract and the (profile_id, reason) of those that do not.

    Both keep the order of `frame`. A row that breaks several rules is rejected once, with all reasons. Raises
    ValueError if the frame lacks a column.
    """
    return _split_by_contract(frame, _make_profiles_contract(), "profile_id")


def check_interactions(frame: pd.DataFrame, people: frozenset[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split interactions into valid ones and the (interaction_id, reason) of others.

    Args:
        frame: An interactions frame; it may lack `surface`.
        people: The accepted profile ids.

    Returns:
        The valid rows and the rejected ones, both in the order of `frame`.

    Raises:
        ValueError: The frame lacks a column.
    """
    return _split_by_contract(frame, _make_interactions_contract(people), "interaction_id")


def _split_by_contract(
    frame: pd.DataFrame, contract: pa.DataFrameSchema, key: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = frame.reset_index(drop=True)
    try:
        contract.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        broken = errors.failure_cases
    else:
        return frame, pd.DataFrame({key: pd.Series(dtype=object), "reason": pd.Series(dtype=object)})
    structural = broken[broken["index"].isna()]
    if len(structural):
        raise ValueError(f"the frame lacks what its contract names: {', '.join(map(str, structural['failure_case']))}")
    reason = broken["check"].where(broken["check"] != "field_uniqueness", f"{key} occurs twice")
    reasons = reason.groupby(broken["index"].astype(int)).agg(lambda each: "; ".join(dict.fromkeys(each)))
    rejected = pd.DataFrame({key: frame[key].reindex(reasons.index), "reason": reasons}).reset_index(drop=True)
    return frame.drop(index=reasons.index).reset_index(drop=True), rejected
