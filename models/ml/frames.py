"""The frame contracts: what a row of profiles or interactions must look like before anything is learned from it.

Cells of `texts`, `traits`, `facts` and `wants` are dicts, cells of `seeks` and `interests` lists of str.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

import models.db.profile_limits as limits
from models.db.profile_limits import LONGEST_ANSWER, OLDEST, YOUNGEST
from models.ml.profile_sizes import SIZES

__all__ = ["LONGEST_ANSWER", "OLDEST", "YOUNGEST", "ages", "check_interactions", "check_profiles"]


def ages(birth_date: pd.Series, as_of: date) -> pd.Series:
    """Completed years on the day `as_of`, as the app counts them; one born on 29 February has birthday on 1 March.

    `birth_date` holds datetime64 values; the result is int64. NaT gives -1.
    """
    born = birth_date.dt
    before_birthday = (born.month > as_of.month) | ((born.month == as_of.month) & (born.day > as_of.day))
    years: pd.Series = (as_of.year - born.year - before_birthday).fillna(-1).astype("int64")
    return years


def _every(rule: Callable[[Any], bool], reason: str) -> pa.Check:
    """A rule on each cell by itself; a cell of the wrong type breaks it rather than the check."""

    def holds(cell: object) -> bool:
        try:
            return bool(rule(cell))
        except (TypeError, ValueError, AttributeError):
            return False

    def hold(cells: pd.Series) -> pd.Series:
        if cells.dtype == object:
            return cells.map(holds).astype(bool)
        # Of a million decisions two are different: equal cells of one type are asked about once.
        code, different = pd.factorize(cells, use_na_sentinel=False)
        return pd.Series(np.array([holds(each) for each in different], bool)[code], cells.index)

    return pa.Check(hold, error=reason, ignore_na=False)


def _are_moments(cells: pd.Series) -> "pd.Series[bool]":
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.notna()
    return cells.map(lambda cell: isinstance(cell, datetime) and not pd.isna(cell)).astype(bool)


def _words(cell: Any) -> bool:  # noqa: ANN401 - that is what is asked
    return isinstance(cell, list) and all(isinstance(word, str) and bool(word.strip()) for word in cell)


def _numbers(low: float, high: float) -> Callable[[Mapping[str, Any]], bool]:
    def rule(cell: Mapping[str, Any]) -> bool:
        return all(
            isinstance(number, int | float) and not isinstance(number, bool) and low <= number <= high
            for number in cell.values()
        )

    return rule


def _answers(cell: Any) -> bool:  # noqa: ANN401 - that is what is asked
    return all(isinstance(text, str) for text in cell.values())


def _between(low: float, high: float, reason: str) -> pa.Check:
    return _every(lambda cell: cell is None or pd.isna(cell) or low <= cell <= high, reason)


def _within(name: str, bounds: tuple[float, float]) -> pa.Column:
    low, high = bounds
    return pa.Column(checks=_between(low, high, f"{name} must be {low:,} to {high:,}"), nullable=True)


def _sized(name: str, rule: Callable[[Any], bool], reason: str) -> pa.Column:
    """A column with a rule of its own, beside those of size."""
    return pa.Column(checks=[_every(each, why) for each, why in ((rule, reason), *SIZES[name])], nullable=True)


def _key(name: str) -> pa.Column:
    rule = _every(lambda key: isinstance(key, str) and bool(key), f"{name} is missing")
    return pa.Column(unique=True, report_duplicates="exclude_first", checks=rule, nullable=True)


def _profiles_contract() -> pa.DataFrameSchema:
    age = f"age must be {YOUNGEST} to {OLDEST}"
    return pa.DataFrameSchema(
        {
            "profile_id": _key("profile_id"),
            "age": pa.Column(checks=_every(lambda years: YOUNGEST <= years <= OLDEST, age), nullable=True),
            "gender": _sized("gender", lambda word: bool(word.strip()), "gender is missing"),
            "seeks": _sized("seeks", _words, "seeks must be a list of genders"),
            "age_min": _within("age_min", limits.AGE_LIMITS),
            "age_max": _within("age_max", limits.AGE_LIMITS),
            "latitude": _within("latitude", limits.LATITUDES),
            "longitude": _within("longitude", limits.LONGITUDES),
            "max_distance_km": _within("max_distance_km", limits.DISTANCES_KM),
            "texts": _sized("texts", _answers, "texts must be strings"),
            "interests": _sized("interests", _words, "interests must be a list of words"),
            "traits": _sized("traits", _numbers(*limits.TRAITS), "traits must be finite numbers"),
            "facts": _sized("facts", lambda cell: _words(list(cell.values())), "facts must be words"),
            "wants": _sized("wants", _numbers(*limits.WANTS), "wants must be importances from 0 to 1"),
            "paused": pa.Column(
                checks=_every(lambda cell: isinstance(cell, bool | np.bool_), "paused must be true or false"),
                nullable=True,
            ),
        },
    )


def _interactions_contract(people: frozenset[str]) -> pa.DataFrameSchema:
    def person(name: str) -> pa.Column:
        rule = _every(lambda key: key in people, f"{name} is not among the accepted profiles")
        return pa.Column(checks=rule, nullable=True)

    return pa.DataFrameSchema(
        {
            "interaction_id": _key("interaction_id"),
            "actor_id": person("actor_id"),
            "target_id": person("target_id"),
            "kind": pa.Column(
                checks=_every(lambda kind: kind in ("like", "pass"), "kind must be like or pass"), nullable=True
            ),
            "created_at": pa.Column(
                checks=pa.Check(_are_moments, error="created_at is missing", ignore_na=False), nullable=True
            ),
            "position": pa.Column(checks=_between(1, 1e9, "position must be 1 or more"), nullable=True),
            "propensity": pa.Column(checks=_between(0, 1, "propensity must be 0 to 1"), nullable=True),
        },
        checks=pa.Check(
            lambda frame: frame["actor_id"].astype(object) != frame["target_id"].astype(object),
            error="actor and target are the same person",
        ),
    )


def check_profiles(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split profiles into those that keep the contract and (profile_id, reason) of those that do not.

    Both keep the order of `frame`; a row that breaks several rules is rejected once, with all its reasons. Raises
    ValueError if the frame lacks a column.
    """
    return _split(frame, _profiles_contract(), "profile_id")


def check_interactions(frame: pd.DataFrame, people: frozenset[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split interactions into good ones and (interaction_id, reason); `people` are the accepted profile ids."""
    return _split(frame, _interactions_contract(people), "interaction_id")


def _split(frame: pd.DataFrame, contract: pa.DataFrameSchema, key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
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
