"""Checks that people and scores are spread as in the champion's training: they warn, and stop nothing."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.monitoring.drift import P_LIKE, PSI_ALERT, DriftReference, compute_drift, compute_drift_features
from pipelines.checks.check_results import WARN, make_check_result
from pipelines.reports.plots import round_figures, show_table
from pipelines.store.answer_shards import load_answers
from pipelines.store.model_registry import REFERENCE, ModelRegistry
from pipelines.store.shard_manifest import ShardManifest

NUMBERS_SHOWN = 10


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "profile_drift",
            asset="scored_candidates",
            description="People are spread over ages, genders, traits and facts as those the champion was trained on.",
            additional_deps=["profiles", "profile_embeddings"],
        ),
        dg.AssetCheckSpec(
            "score_drift",
            asset="scored_candidates",
            description="The champion's p_like of random pairs of people is spread as when it was trained.",
            additional_deps=["profiles", "profile_embeddings"],
        ),
    ],
    ins={"profiles": dg.AssetIn("profiles"), "profile_embeddings": dg.AssetIn("profile_embeddings")},
)
def check_drift(
    registry: ModelRegistry, profiles: pd.DataFrame, profile_embeddings: ShardManifest
) -> Iterator[dg.AssetCheckResult]:
    """Compare people and scores with those of the champion's training; warn from a stability index of 0.25 on."""
    champion, moved = registry.find_champion(), pd.Series(dtype=np.float64)
    reference = None if champion is None else _parse_reference(registry.load_json(champion.version, REFERENCE))
    if champion is not None and reference is not None:
        moved = compute_drift(
            reference, compute_drift_features(champion.rankers.full, profiles, load_answers(profile_embeddings))
        )
    version = None if champion is None else champion.version
    yield _check_stability("profile_drift", moved.drop(P_LIKE, errors="ignore"), version)
    yield _check_stability("score_drift", moved[moved.index == P_LIKE], version)


def _parse_reference(kept: dict[str, Any] | None) -> DriftReference | None:
    """What the champion's training kept to compare with; None if it kept nothing, or nothing that can be read."""
    try:
        return None if kept is None else DriftReference(**kept)
    except TypeError:
        return None


def _check_stability(check: str, moved: "pd.Series[float]", version: str | None) -> dg.AssetCheckResult:
    if moved.empty:
        said = f"not judged: version {version} keeps nothing to compare with; it is lost, or of an earlier program"
    else:
        beyond = ", ".join(f"{name} {index:.2f}" for name, index in moved.items() if index > PSI_ALERT)
        said = (
            f"{beyond or 'nothing'} beyond a population stability index of {PSI_ALERT} since version {version} was "
            f"trained; the largest is {moved.iloc[0]:.3f}, of {moved.index[0]}"
        )
    first = moved.head(NUMBERS_SHOWN).rename("stability index").rename_axis("of").reset_index()
    return make_check_result(
        check_name=check,
        asset_key="scored_candidates",
        passed=bool((moved <= PSI_ALERT).all()),
        severity=WARN,
        said=said,
        figures={
            **round_figures({"largest_index": float(moved.max()) if len(moved) else 0.0}),
            "indices": show_table(first),
        },
    )
