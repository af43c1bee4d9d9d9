"""The frame contracts: what a row of profiles or interactions must look like before anything is learned from it.

Cells of `texts`, `traits`, `facts` and `wants` are dicts, cells of `seeks` and `interests` lists of str.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

LONGEST_ANSWER = 10_000
YOUNGEST, OLDEST = 18, 110


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


def _short_answers(cell: Any) -> bool:  # noqa: ANN401 - that is what is asked
    answers = cell.values() if isinstance(cell, Mapping) else ()
    return not any(isinstance(text, str) and len(text) > LONGEST_ANSWER for text in answers)


def _between(low: float, high: float, reason: str) -> pa.Check:
    return _every(lambda cell: cell is None or pd.isna(cell) or low <= cell <= high, reason)


def _key(name: str) -> pa.Column:
    rule = _every(lambda key: isinstance(key, str) and bool(key), f"{name} is missing")
    return pa.Column(unique=True, report_duplicates="exclude_first", checks=rule, nullable=True)


def _profiles_contract() -> pa.DataFrameSchema:
    age = f"age must be {YOUNGEST} to {OLDEST}"
    return pa.DataFrameSchema(
        {
            "profile_id": _key("profile_id"),
            "age": pa.Column(checks=_every(lambda years: YOUNGEST <= years <= OLDEST, age), nullable=True),
            "gender": pa.Column(checks=_every(lambda word: bool(word.strip()), "gender is missing"), nullable=True),
            "seeks": pa.Column(checks=_every(_words, "seeks must be a list of genders"), nullable=True),
            "age_min": pa.Column(checks=_between(0, 150, "age_min must be 0 to 150"), nullable=True),
            "age_max": pa.Column(checks=_between(0, 150, "age_max must be 0 to 150"), nullable=True),
            "latitude": pa.Column(checks=_between(-90, 90, "latitude must be -90 to 90"), nullable=True),
            "longitude": pa.Column(checks=_between(-180, 180, "longitude must be -180 to 180"), nullable=True),
            "max_distance_km": pa.Column(
                checks=_between(0, 40_100, "max_distance_km must be 0 to 40,100"), nullable=True
            ),
            "texts": pa.Column(
                checks=[
                    _every(_answers, "texts must be strings"),
                    _every(_short_answers, f"an answer is longer than {LONGEST_ANSWER:,} characters"),
                ],
                nullable=True,
            ),
            "interests": pa.Column(checks=_every(_words, "interests must be a list of words"), nullable=True),
            "traits": pa.Column(checks=_every(_numbers(-1e9, 1e9), "traits must be finite numbers"), nullable=True),
            "facts": pa.Column(
                checks=_every(lambda cell: _words(list(cell.values())), "facts must be words"), nullable=True
            ),
            "wants": pa.Column(checks=_every(_numbers(0, 1), "wants must be importances from 0 to 1"), nullable=True),
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
