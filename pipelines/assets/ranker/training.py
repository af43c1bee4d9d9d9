"""Training pairs and the ranker: one MLflow run for each training, and the gate that promotes a challenger."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import dagster as dg
import pandas as pd
import pyarrow as pa
from pydantic import Field
from upath import UPath

from models.db.errors import NoChampion
from models.ml.evaluation.monitoring.drift import build_reference, compute_drift_features
from models.ml.features.training_pairs import build_training_pairs
from models.ml.training.learning_curve import LearningCurve
from models.ml.training.small_training import measure_learning_curve
from models.ml.training.train import TrainingResult, train_ranker
from models.ml.validation.gate import DIFFERENCE, check_nothing, check_report
from models.ml.validation.gate_rules import GateCheck, collect_figures, leave_unjudged, round_to_error
from pipelines.assets.candidate_shards import VOLATILE
from pipelines.assets.ranker.order_evidence import EVIDENCE_CHECK, check_order_evidence
from pipelines.assets.ranker.retraining import count_extracted_rows, describe_next_training
from pipelines.checks.gate_results import CHECKS, build_gate_results, describe_check, list_check_specs
from pipelines.reports.ranker.ranker_report import build_ranker_metadata, explain_checks, write_note
from pipelines.resources import ComputeResource, DatabaseResource, ShardStore
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import compute_fingerprint, convert_to_table
from pipelines.store.registry.model_registry import CURVE, REFERENCE, Champion, ModelRegistry
from pipelines.store.registry.training_data import DECISIONS, PROFILES, write_training_data
from pipelines.store.registry.training_provenance import list_code_parameters, log_data
from pipelines.store.shard_manifest import ShardManifest

GROUP, OWNERS = "ranker", ["team:data-science"]
# LightGBM treats all larger seeds as this one.
MAX_SEED = 2**31 - 1
LEARNING_CURVE = "learning_curve"
# MLflow's name for the AUC over the pairs of all viewers, so that it is not taken for the one within viewers.
SHOWN_AS = {"auc": "auc_over_all_pairs"}
# The headline of a run: the difference of the AUC within viewers to the champion's, on what the champion has not seen.
LIFT = {
    f"lift_over_champion{error}": f"{DIFFERENCE.format('champion')}.within_viewer_auc{error}"
    for error in ("", "_error")
}


NOT_ASKED = leave_unjudged(EVIDENCE_CHECK, "no evidence from logs was asked for (needs_evidence)", passed=True)


class Evidence(StrEnum):
    """What the gate may ask for beside held-out decisions."""

    none = "none"
    off_policy = "off_policy"


class RankerConfig(dg.Config):
    """Configuration of the training of the ranker."""

    seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        description="Another seed masks other parts of the history and trains other trees; 0 to 2,147,483,647.",
    )
    use_race_and_ethnicity: bool = Field(
        False, description="Also learn from traits, facts and wants about race and ethnicity."
    )
    needs_evidence: Evidence = Field(
        Evidence.none,
        description="What a ranker that replaces a champion must show beside the gate: none, or off_policy, the likes "
        "that the live lists would have brought in its order.",
    )
    grow_on_cluster: bool = Field(False, description="Train the trees on the workers of the Dask cluster together.")


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"parquet"})
def training_pairs(
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """Build the decisions that the ranker learns from.

    In: `profiles`, `interactions`. Out: a frame with one row for each decision: viewer_id, candidate_id, liked,
    decided_at, group, fold. All users of a group are held out together.
    """
    start = time.monotonic()
    pairs = build_training_pairs(interactions, pd.Index(profiles["profile_id"]))
    likes = int(pairs["liked"].sum())
    counts = {"dagster/row_count": len(pairs), "likes": likes, "like_rate": round(likes / max(len(pairs), 1), 4)}
    return dg.Output(pairs, metadata={**counts, "seconds": round(time.monotonic() - start, 2)})


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"lightgbm", "mlflow"},
    check_specs=list_check_specs(),
)
def ranker(
    context: dg.AssetExecutionContext,
    config: RankerConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    compute: ComputeResource,
    database: DatabaseResource,
    registry: ModelRegistry,
    store: ShardStore,
    profiles: pd.DataFrame,
    profile_embeddings: ShardManifest,
    training_pairs: pd.DataFrame,
) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster reads the bare class
    """Train and register a ranker in MLflow, and promote it to champion if it passes the gate or is the first one.

    In: `profiles`, `profile_embeddings`, `training_pairs`, and the champion to compare with. Out: a version in MLflow
    that maps pair features, float32 (n, features), to p_like (n,). If it is refused, the champion remains.
    """
    run_id, start = context.run.run_id, time.monotonic()
    with registry.track_training(f"dagster {run_id[:8]}", {"dagster_run_id": run_id}):
        champion, answers = _find_champion(context, registry, store), load_answers(profile_embeddings)
        trained = train_ranker(
            profiles,
            answers,
            training_pairs,
            config.seed,
            champion=champion.rankers if champion else None,
            sensitive=config.use_race_and_ethnicity,
            trainer=compute.make_tree_trainer(on_cluster=config.grow_on_cluster),
            say=context.log.info,
        )
        context.log.info("learning curve")
        curve = measure_learning_curve(trained.rankers, profiles, answers, training_pairs, config.seed)
        evidence = NOT_ASKED
        if champion is not None and config.needs_evidence is Evidence.off_policy:
            evidence = check_order_evidence(database, trained.rankers, profiles, answers, training_pairs)
        judged = _decide_promotion(trained, champion, evidence)
        tables = {
            PROFILES: convert_to_table(profiles.drop(columns=VOLATILE)),
            DECISIONS: convert_to_table(training_pairs),
        }
        data = _describe_data(tables, count_extracted_rows(store))
        parameters = {**config.model_dump(), **_list_parameters(trained), **data, "promoted": judged.promoted}
        metrics = _flatten_metrics(trained, curve)
        version = registry.log_rankers(trained.rankers, parameters, _round_metrics(metrics))
        write_training_data(UPath(store.base), version, tables, version if judged.promoted else judged.rival)
        log_data(tables, UPath(store.base), version)
        context.log.info("report and pictures")
        registry.log_json(
            REFERENCE, asdict(build_reference(compute_drift_features(trained.rankers.full, profiles, answers)))
        )
        pictures, page = (
            build_ranker_metadata(registry, trained, judged.checks, profiles, answers, training_pairs),
            registry.get_page(),
        )
        trained_on = f"{len(profiles):,} profiles and {len(training_pairs):,} decisions"
        _record_decision(registry, version, judged, f"{trained_on} ({describe_next_training(curve)})", run_id)
    if judged.promoted:
        registry.promote(version)
    became = "promoted" if judged.promoted else "refused"
    context.instance.add_run_tags(run_id, {"matching/trained": f"version {version}, {became}"})
    _log_decision(context, judged, version)
    return dg.MaterializeResult(
        metadata={
            "version": version,
            "promoted": judged.promoted,
            "evidence": describe_check(judged.checks[-1]),
            "champion": version if judged.promoted else judged.rival,
            "decisions": len(training_pairs),
            "mlflow": dg.MetadataValue.url(page),
            **pictures,
            **{name: round(value, 4) for name, value in metrics.items()},
            LEARNING_CURVE: describe_next_training(curve),
            "seconds": round(time.monotonic() - start, 2),
        },
        check_results=build_gate_results(judged.checks, judged.promoted, judged.rival, pictures),
    )


def _find_champion(context: dg.AssetExecutionContext, registry: ModelRegistry, store: ShardStore) -> Champion | None:
    """Return the champion to compare with, or None if there is none that can be used.

    Without one, the new ranker is promoted whatever the gate decides. Warns of that if there was a champion once: if
    MLflow names one, or if candidates have been scored although a wiped MLflow store names none.
    """
    try:
        return registry.get_champion()
    except NoChampion as error:
        if registry.find_champion_version() is not None or store.get_frame_path("scored_candidates").exists():
            context.log.warning(f"{error}. The ranker trained now becomes the champion whatever its checks say")
        return None


@dataclass(frozen=True)
class _GateDecision:
    """The decision of the gate. `rival` is the version of the champion at that time, if there was one."""

    checks: Sequence[GateCheck]
    promoted: bool
    rival: str | None

    @property
    def compared(self) -> bool:
        """Whether the ranker was compared with the champion."""
        return any(check.judged for check in self.checks if check.name == "is_no_worse_than_the_champion")


def _decide_promotion(trained: TrainingResult, champion: Champion | None, evidence: GateCheck) -> _GateDecision:
    """Apply the gate; the first ranker is promoted in any case."""
    checks = [*check_report(trained.report), evidence] if trained.report else check_nothing(CHECKS, trained.unlearned)
    promoted = champion is None or all(each.passed for each in checks)
    return _GateDecision(checks, promoted, champion.version if champion else None)


def _record_decision(
    registry: ModelRegistry, version: str, judged: _GateDecision, trained_on: str, run_id: str
) -> None:
    """Record in MLflow whether the version was promoted, and why."""
    why = explain_checks(judged.checks)
    registry.record_decision(version, "promoted" if judged.promoted else "refused", why)
    registry.set_description(
        write_note(version, judged.promoted, judged.rival, trained_on, why, run_id, compared=judged.compared)
    )


def _log_decision(context: dg.AssetExecutionContext, judged: _GateDecision, version: str) -> None:
    for each in judged.checks:
        if each.passed:  # others have a line of their own
            yes = "yes; " if each.judged else ""
            context.log.info(f"{each.name.replace('_', ' ')}: {yes}{describe_check(each)}")
    context.log.info(f"version {version} is {'now' if judged.promoted else 'not'} the champion")


def _list_parameters(trained: TrainingResult) -> Mapping[str, object]:
    """Return the parameters to log: the size of the ranker and the versions that trained it."""
    booster = trained.rankers.full.booster
    return {
        "learned": trained.report is not None,
        "trees": 0 if booster is None else booster.num_trees(),
        **list_code_parameters(trained.rankers.full.specification.encoder),
    }


def _describe_data(tables: Mapping[str, pa.Table], rows: Mapping[str, int]) -> Mapping[str, object]:
    """Describe the training data; `rows` are the rows of each app table."""
    return {
        "profiles": len(tables[PROFILES]),
        "decisions": len(tables[DECISIONS]),
        "data_fingerprint": compute_fingerprint(*tables.values()),
        **{f"app.{name}": count for name, count in rows.items()},
    }


def _flatten_metrics(trained: TrainingResult, curve: LearningCurve) -> dict[str, float]:
    """Return the figures of a training; the first one compares the ranker with the champion, if there is one."""
    report = trained.report or {"nothing_learned": collect_figures(trained.unlearned)}
    metrics = {
        f"{method}.{SHOWN_AS.get(name, name)}": value
        for method, figures in report.items()
        for name, value in figures.items()
    }
    lift = {name: metrics[measured] for name, measured in LIFT.items() if measured in metrics}
    return lift | metrics | dict(zip(CURVE, (curve.slope, curve.slope_error), strict=True))


def _round_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Round each figure to its standard error, for MLflow's tables; the curve is read again and stays as it is."""
    return {
        name: value if name in CURVE else round_to_error(value, metrics.get(f"{name}_error", math.nan))
        for name, value in metrics.items()
    }
