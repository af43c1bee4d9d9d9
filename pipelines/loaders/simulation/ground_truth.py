"""The ground truth of simulated populations, stored in files outside the database.

The evaluation, tests and notebooks compare the ranker with it. Publications do not use it.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.ml.arrays import Float64Array, Int64Array
from pipelines.loaders.simulation import choice_model
from pipelines.loaders.simulation.simulated_population import SimulatedPopulation


@dataclass(frozen=True)
class GroundTruth:
    """The true probabilities of a population.

    Methods take viewers and candidates as source keys or as user numbers, two sequences of shape (k,), paired by index.
    They raise InputError for a user who is not in this population.
    """

    town: SimulatedPopulation

    def compute_p_like(
        self, viewers: Sequence[str] | Int64Array, candidates: Sequence[str] | Int64Array
    ) -> Float64Array:
        """Return the probability, shape (k,), that each viewer likes the candidate, given an impression.

        It includes chemistry.
        """
        return choice_model.compute_p_like(self.town, self.find_numbers(viewers), self.find_numbers(candidates))

    def compute_expected_p_like(
        self, viewers: Sequence[str] | Int64Array, candidates: Sequence[str] | Int64Array
    ) -> Float64Array:
        """Return `compute_p_like` averaged over the chemistry of the pair, shape (k,).

        This is the best possible prediction from both profiles.
        """
        return choice_model.compute_expected_p_like(
            self.town, self.find_numbers(viewers), self.find_numbers(candidates)
        )

    def find_numbers(self, people: Sequence[str] | Int64Array) -> Int64Array:
        """Return the numbers, shape (k,), of users given as source keys or numbers."""
        named = np.asarray(people)
        numbers = (
            named if named.dtype.kind in "iu" else np.array([self._parse_key(key) for key in named.tolist()], np.int64)
        )
        strangers = np.flatnonzero((numbers < 0) | (numbers >= self.town.people))
        if len(strangers):
            town = f"the town of seed {self.town.seed} and {self.town.people} people"
            raise InputError(f"{named[strangers[0]]} does not live in {town}; read the truth of the town they are from")
        return numbers.astype(np.int64)

    def _parse_key(self, key: str) -> int:
        number = key.rpartition(":")[2]
        lives_here = number.isdecimal() and key == self.town.make_source_key(int(number))
        return int(number) if lives_here else -1


def get_truth_path(home: Path, seed: int, people: int) -> Path:
    """Return the file of the ground truth of a population."""
    return home / "truth" / f"simulated-{seed}-{people}.npz"


def store_truth(population: SimulatedPopulation, home: Path) -> None:
    """Write the ground truth of a population under `home`, atomically.

    Raises:
        InputError: The file cannot be written.
    """
    arrays = {field.name: getattr(population, field.name) for field in fields(population)}
    write_atomically(get_truth_path(home, population.seed, population.people), lambda file: np.savez(file, **arrays))


def write_atomically(target: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file of the ground truth, so that a failure leaves what was there.

    Raises:
        InputError: The file cannot be written.
    """
    partial = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            write(file)
        partial.replace(target)
    except OSError as error:
        raise InputError(f"the ground truth cannot be written to {target}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def read_truth(home: Path, seed: int, people: int) -> GroundTruth:
    """Read the ground truth of the population that was loaded with this seed and size.

    Raises:
        InputError: There is no such file under `home`.
    """
    source = get_truth_path(home, seed, people)
    if not source.is_file():
        raise InputError(
            f"no truth is kept at {source}; load a simulated town of {people} people with seed {seed} first"
        )
    with np.load(source) as arrays:
        return GroundTruth(SimulatedPopulation(**{**arrays, "seed": seed}))


def find_truth(profiles: pd.DataFrame, home: Path) -> Callable[[pd.DataFrame], Float64Array] | None:
    """Return a function that gives the true p_like, averaged over chemistry, for each row of a frame of training pairs.

    The frame has the columns viewer_id and candidate_id.

    Args:
        profiles: The profiles frame.
        home: Folder of the stored ground truth.

    Returns:
        None unless all profiles belong to one simulated population whose ground truth is stored under `home`.
    """
    towns = profiles["source_key"].fillna("").str.extract(r"^simulated:(\d+)-(\d+):\d+$").drop_duplicates()
    if len(towns) != 1 or towns.isna().to_numpy().any():
        return None
    seed, people = (int(each) for each in towns.iloc[0])
    if not get_truth_path(home, seed, people).is_file():
        return None
    known, key_of = read_truth(home, seed, people), profiles.set_index("profile_id")["source_key"]
    return lambda pairs: known.compute_expected_p_like(
        key_of[pairs["viewer_id"]].tolist(), key_of[pairs["candidate_id"]].tolist()
    )
