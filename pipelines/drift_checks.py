"""Checks that people and scores are spread as in the champion's training: they warn, and stop nothing."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.drift import MAJOR, P_LIKE, Reference, described, drift
from pipelines.checks import WARN, verdict
from pipelines.encoding import load_answers
from pipelines.plots import rounded, table
from pipelines.registry import REFERENCE, Registry

NUMBERS_SHOWN = 10


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "people_are_as_in_training",
            asset="scored_candidates",
            description="People are spread over ages, genders, traits and facts as those the champion was trained on.",
            additional_deps=["profiles", "profile_embeddings"],
        ),
        dg.AssetCheckSpec(
            "scores_are_as_in_training",
            asset="scored_candidates",
            description="The champion's p_like of random pairs of people is spread as when it was trained.",
            additional_deps=["profiles", "profile_embeddings"],
        ),
    ],
    ins={"profiles": dg.AssetIn("profiles"), "profile_embeddings": dg.AssetIn("profile_embeddings")},
)
def drift_checks(
    registry: Registry, profiles: pd.DataFrame, profile_embeddings: pd.DataFrame
) -> Iterator[dg.AssetCheckResult]:
    """Compare people and scores with those of the champion's training; warn from a stability index of 0.25 on."""
    champion, moved = registry.current(), pd.Series(dtype=np.float64)
    reference = None if champion is None else _reference(registry.kept(champion.version, REFERENCE))
    if champion is not None and reference is not None:
        moved = drift(reference, described(champion.rankers.whole, profiles, load_answers(profile_embeddings)))
    version = None if champion is None else champion.version
    yield _as_in_training("people_are_as_in_training", moved.drop(P_LIKE, errors="ignore"), version)
    yield _as_in_training("scores_are_as_in_training", moved[moved.index == P_LIKE], version)


def _reference(kept: dict[str, Any] | None) -> Reference | None:
    """What the champion's training kept to compare with; None if it kept nothing, or nothing that can be read."""
    try:
        return None if kept is None else Reference(**kept)
    except TypeError:
        return None


def _as_in_training(check: str, moved: "pd.Series[float]", version: str | None) -> dg.AssetCheckResult:
    if moved.empty:
        said = f"not judged: version {version} keeps nothing to compare with; it is lost, or of an earlier program"
    else:
        beyond = ", ".join(f"{name} {index:.2f}" for name, index in moved.items() if index > MAJOR)
        said = (
            f"{beyond or 'nothing'} beyond a population stability index of {MAJOR} since version {version} was "
            f"trained; the largest is {moved.iloc[0]:.3f}, of {moved.index[0]}"
        )
    first = moved.head(NUMBERS_SHOWN).rename("stability index").rename_axis("of").reset_index()
    return verdict(
        check_name=check,
        asset_key="scored_candidates",
        passed=bool((moved <= MAJOR).all()),
        severity=WARN,
        said=said,
        figures={**rounded({"largest_index": float(moved.max()) if len(moved) else 0.0}), "indices": table(first)},
    )
