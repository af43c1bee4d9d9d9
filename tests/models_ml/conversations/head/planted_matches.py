"""Conversations of people who answer more or less, as the frame `conversation_outcomes`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from models.ml.arrays import Float64Array, Int64Array

NOW = pd.Timestamp("2026-11-30T03:00Z")


@dataclass(frozen=True)
class PlantedMatches:
    """Conversations in order of time, with the truth: the people, and the probability that each went on."""

    ids: pd.Index
    person: Int64Array
    outcomes: pd.DataFrame
    p_on: Float64Array


def plant_matches(
    matches: int, people: int = 150, spread: float = 1.5, seed: int = 0, now: pd.Timestamp = NOW
) -> PlantedMatches:
    """Plant conversations over 200 days until now; `spread`: deviation of people's responsiveness, in log odds."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"person-{number:04d}" for number in range(people)])
    answers = spread * rng.standard_normal(people)
    drawn = [rng.choice(people, 2, replace=False) for _ in range(matches)]
    person = np.sort(np.array(drawn, np.int64).reshape(-1, 2), axis=1)
    matched_at = now - pd.to_timedelta(np.sort(rng.uniform(0, 200, matches))[::-1], unit="D")
    p_on = expit(answers[person].sum(axis=1) - 0.5)
    went_on = rng.random(matches) < p_on
    matured_at = matched_at + pd.Timedelta(days=14)
    mature = np.asarray(matured_at <= now)
    frame = pd.DataFrame(
        {
            "conversation_id": [f"conversation-{number:05d}" for number in range(matches)],
            "person_a": ids[person[:, 0]],
            "person_b": ids[person[:, 1]],
            "matched_at": matched_at,
            "matured_at": matured_at,
            "mature": mature,
            "answered_7d": np.where(mature, went_on | (rng.random(matches) < 0.3), np.nan),
            "reached_5": np.where(mature, went_on, np.nan),
        }
    )
    return PlantedMatches(ids, person, frame, p_on)
