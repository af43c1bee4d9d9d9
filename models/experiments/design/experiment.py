"""An experiment as data: its arms, its unit, its time and what it is decided by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Unit(StrEnum):
    """What is assigned to an arm as a whole."""

    person = "person"
    region = "region"
    night = "night"


@dataclass(frozen=True)
class ExperimentArm:
    """One way to make lists.

    Attributes:
        name: Its name within the experiment.
        share: Its part of the units in the experiment, above 0; the shares of all arms add up to 1.
        market: Fields of the market configuration that differ from the configuration of the run.
        ranker: The alias or version of the ranker that scores the pairs; None: the champion.
    """

    name: str
    share: float
    market: Mapping[str, Any]
    ranker: str | None = None


@dataclass(frozen=True)
class Experiment:
    """A question put to a part of the users.

    Attributes:
        name: Its name, unique among all experiments; it also salts the assignment.
        hypothesis: What is expected, in one sentence.
        unit: What is assigned to an arm as a whole.
        layer: Experiments of one layer never share a unit.
        share: Part of the layer's units that take part, above 0 to 1.
        arms: At least two; the first one is the control.
        starts_on: The first night, UTC.
        ends_on: The last night, UTC.
        primary: The metric that decides.
        guardrails: Metrics that must not get worse.
        smallest_effect: The smallest relative difference in the primary metric worth knowing, above 0.
        layer_start: Where its part of the layer begins, from 0. A share grows from there, into what is free.
    """

    name: str
    hypothesis: str
    unit: Unit
    layer: str
    share: float
    arms: tuple[ExperimentArm, ...]
    starts_on: date
    ends_on: date
    primary: str
    guardrails: tuple[str, ...]
    smallest_effect: float
    layer_start: float = 0.0

    @property
    def control(self) -> ExperimentArm:
        """The arm that the others are compared with."""
        return self.arms[0]

    def has_night(self, night: date) -> bool:
        """Return whether the experiment runs on this night, UTC."""
        return self.starts_on <= night <= self.ends_on
