"""Checks for drift of profiles and scores since the training of the champion. They warn and block nothing."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.evaluation.monitoring.drift import (
    P_LIKE,
    PSI_ALERT,
    DriftReference,
    compute_drift,
    compute_drift_features,
)
from pipelines.checks.check_results import WARN, make_check_result
from pipelines.reports.plots import round_figures, show_table
from pipelines.store.answer_shards import load_answers
from pipelines.store.registry.model_registry import REFERENCE, ModelRegistry
from pipelines.store.shard_manifest import ShardManifest

NUMBERS_SHOWN = 10


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "profile_drift",
            asset="scored_candidates",
            description="Ages, genders, traits and facts are distributed as at the training of the champion.",
            additional_deps=["profiles", "profile_embeddings"],
        ),
        dg.AssetCheckSpec(
            "score_drift",
            asset="scored_candidates",
            description="The champion's p_like of random pairs is distributed as at its training.",
            additional_deps=["profiles", "profile_embeddings"],
        ),
    ],
    ins={"profiles": dg.AssetIn("profiles"), "profile_embeddings": dg.AssetIn("profile_embeddings")},
)
def check_drift(
    registry: ModelRegistry, profiles: pd.DataFrame, profile_embeddings: ShardManifest
) -> Iterator[dg.AssetCheckResult]:
    """Compare profiles and scores with those of the champion's training; warn above a stability index of 0.25.

    The largest index is recorded with the version, so that the next run trains another one.
    """
    champion, moved = registry.find_champion(), pd.Series(dtype=np.float64)
    reference = None if champion is None else _parse_reference(registry.load_json(champion.version, REFERENCE))
    if champion is not None and reference is not None:
        moved = compute_drift(
            reference, compute_drift_features(champion.rankers.full, profiles, load_answers(profile_embeddings))
        )
    if champion is not None and not moved.empty:
        registry.record_drift(champion.version, str(moved.index[0]), float(moved.iloc[0]))
    version = None if champion is None else champion.version
    yield _check_stability("profile_drift", moved.drop(P_LIKE, errors="ignore"), version)
    yield _check_stability("score_drift", moved[moved.index == P_LIKE], version)


def _parse_reference(kept: dict[str, Any] | None) -> DriftReference | None:
    """Parse the reference that the champion's training stored; None if it stored none, or none that can be read."""
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
