"""The file of experiments: read, and refused as a whole if one of them is wrong."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from models.db.errors import InputError
from models.db.settings import Settings
from models.experiments.design.assignment import BUCKETS, find_layer_end
from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from models.experiments.statistics.metrics import METRICS
from pipelines.assets.market.market_config import MarketConfig

FILE_NAME = "experiments.toml"
FOR_ALL = frozenset({"most_telling", "places_per_vote", "most_views", "least_views"})
"""Fields that hold for the lists of all viewers together."""
ROUNDING = 1e-6

# They are part of a response's header.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Share = Annotated[float, Field(ge=1 / BUCKETS, le=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ArmEntry(_Entry):
    """An arm in the file."""

    name: Name
    share: Share
    market: dict[str, Any] = {}
    ranker: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("market")
    @classmethod
    def _check_market(cls, market: dict[str, Any]) -> dict[str, Any]:
        for name in market:
            if name not in MarketConfig.model_fields:
                raise ValueError(f"{name} is no field of the configuration of match_lists")
            if name in FOR_ALL:
                raise ValueError(f"{name} holds for all lists together, so no arm can have its own")
        try:
            MarketConfig.model_validate(market)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{first['loc'][0]} is {first['input']!r}: {first['msg']}") from None
        return market


class ExperimentEntry(_Entry):
    """An experiment in the file."""

    name: Name
    hypothesis: Annotated[str, Field(min_length=1)]
    unit: Unit
    layer: Name
    layer_start: Annotated[float, Field(ge=0, lt=1)] = 0.0
    share: Share
    arms: Annotated[list[ArmEntry], Field(min_length=2)]
    starts_on: date
    ends_on: date
    primary: Name
    guardrails: list[Name] = []
    smallest_effect: Annotated[float, Field(gt=0)]

    @field_validator("arms")
    @classmethod
    def _check_arms(cls, arms: list[ArmEntry]) -> list[ArmEntry]:
        if len({arm.name for arm in arms}) < len(arms):
            raise ValueError("two arms have one name")
        if abs((total := sum(arm.share for arm in arms)) - 1) > ROUNDING:
            raise ValueError(f"the shares of the arms add up to {total:g}, not to 1")
        return arms

    @field_validator("primary", "guardrails")
    @classmethod
    def _check_metrics(cls, names: str | list[str]) -> str | list[str]:
        for name in [names] if isinstance(names, str) else names:
            if name not in METRICS:
                raise ValueError(f"{name} is no metric: use {', '.join(METRICS)}")
        return names

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError(f"ends_on is {self.ends_on}, before starts_on, {self.starts_on}")
        if self.layer_start + self.share > 1 + ROUNDING:
            raise ValueError(f"layer_start and share add up to {self.layer_start + self.share:g}, and a layer has 1")
        return self

    def build_experiment(self) -> Experiment:
        """Build the experiment of this entry."""
        fields = {name: getattr(self, name) for name in type(self).model_fields if name not in ("arms", "guardrails")}
        arms = tuple(ExperimentArm(arm.name, arm.share, arm.market, arm.ranker) for arm in self.arms)
        return Experiment(**fields, arms=arms, guardrails=tuple(self.guardrails))


def load_experiments(settings: Settings) -> tuple[Experiment, ...]:
    """Load the experiments of the file that the settings name; none if there is no file.

    Raises:
        InputError: The file cannot be read, or an experiment in it is wrong, or two of them do not fit together. The
            message names the experiment and the field.
    """
    path = settings.experiments or settings.home / FILE_NAME
    if not path.exists() and settings.experiments is None:
        return ()
    found = _read_entries(path)
    experiments = tuple(_parse_entry(path, entry) for entry in found)
    if wrong := next(_find_conflicts(experiments), None):
        raise InputError(f"{path.name}: {wrong}")
    return experiments


def list_settings(experiment: Experiment) -> set[str]:
    """List what the arms of an experiment set: fields of the market configuration, and "ranker"."""
    fields = {name for arm in experiment.arms for name in arm.market}
    return fields | ({"ranker"} if any(arm.ranker for arm in experiment.arms) else set())


def _read_entries(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"MATCHING_EXPERIMENTS: {path.name} cannot be read: {error}") from error
    entries = content.pop("experiment", [])
    if content or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{path.name}: write each experiment as a table [[experiment]], and nothing beside them")
    return entries


def _parse_entry(path: Path, entry: Mapping[str, Any]) -> Experiment:
    try:
        return ExperimentEntry.model_validate(entry).build_experiment()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "it"
        value = f" is {first['input']!r}" if isinstance(first["input"], str | int | float | date) else ""
        raise InputError(f"{path.name}: experiment {entry.get('name', '?')}: {field}{value}: {first['msg']}") from None


def _find_conflicts(experiments: Sequence[Experiment]) -> Iterator[str]:
    """Find experiments that do not fit together, in sentences."""
    for one, other in combinations(experiments, 2):
        pair = f"experiments {one.name} and {other.name}"
        if one.name == other.name:
            yield f"name: two experiments are called {one.name}"
        elif one.ends_on < other.starts_on or other.ends_on < one.starts_on:
            continue
        elif one.layer == other.layer:
            yield from _find_layer_conflicts(one, other, pair)
        elif both := list_settings(one) & list_settings(other):
            yield f"layer: {pair} run at the same time and both set {', '.join(sorted(both))}; put them into one layer"


def _find_layer_conflicts(one: Experiment, other: Experiment, pair: str) -> Iterator[str]:
    if one.unit is not other.unit:
        yield f"unit: {pair} share the layer {one.layer}, so they need the same unit"
    first, second = sorted((one, other), key=lambda each: each.layer_start)
    if find_layer_end(first) > second.layer_start + ROUNDING:
        yield (
            f"layer_start: {pair} take the same part of the layer {one.layer}: let {second.name} start at "
            f"{find_layer_end(first):g}, or make the share of {first.name} smaller"
        )
