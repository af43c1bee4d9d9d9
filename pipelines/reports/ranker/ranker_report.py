"""The report of a trained ranker: plots and tables for Dagster and for the MLflow run."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd
from matplotlib.figure import Figure

from models.ml.evaluation.champion_evaluation import summarise_by_history, summarise_by_method
from models.ml.evaluation.monitoring.importance import compute_importance
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.training.train import TrainingResult
from models.ml.validation.gate_rules import GateCheck
from pipelines.processes.ports import DAGSTER_URL
from pipelines.reports.plots import draw_figure, show_png, show_table
from pipelines.reports.ranker.ranker_plots import plot_calibration, plot_contributions, plot_gate, plot_lift
from pipelines.store.registry.model_registry import ModelRegistry

# Pictures in the metadata of the ranker that a check of the gate shows too.
GATE_PICTURE, CALIBRATION_PICTURE = "gate", "calibration"
HISTORY_LABELS = {-1: "half of all"}


def build_ranker_metadata(
    registry: ModelRegistry,
    trained: TrainingResult,
    checks: Sequence[GateCheck],
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    decisions: pd.DataFrame,
) -> Mapping[str, dg.MetadataValue[Any]]:
    """Return the metadata of the ranker, which is also logged to the current MLflow run.

    All figures and pictures of quality are of the samples that the gate measured, so they are those that led to its
    decision. They are also made for a ranker that learned nothing, if there were decisions enough to fit one.

    Args:
        registry: Logs to MLflow.
        trained: The result of the training.
        checks: The checks of the gate.
        profiles: The profiles frame.
        answers: The embeddings of the answers.
        decisions: The decisions that the ranker was trained on.
    """
    pictures = {name: draw_figure(figure) for name, figure in _plot_quality(trained, checks).items()}
    if trained.report is not None:
        importance = compute_importance(trained.rankers.full, profiles, answers, decisions)
        pictures["contributions"] = draw_figure(plot_contributions(importance))
    for name, png in pictures.items():
        registry.log_png(name, png)
    gate = tabulate_checks(checks)
    registry.log_table("gate", gate)
    shown = {name: show_png(png) for name, png in pictures.items()}
    return {**shown, "gate_figures": show_table(gate, "g"), **_show_evaluation(registry, trained.samples)}


def _plot_quality(trained: TrainingResult, checks: Sequence[GateCheck]) -> Mapping[str, Figure]:
    known = any(rule.is_known for check in checks for rule in check.rules)
    gate = {GATE_PICTURE: plot_gate(checks)} if known else {}
    if trained.samples is None:
        return gate
    return gate | {CALIBRATION_PICTURE: plot_calibration(trained.samples), "lift_by_decile": plot_lift(trained.samples)}


def _show_evaluation(registry: ModelRegistry, samples: pd.DataFrame | None) -> Mapping[str, dg.MetadataValue[Any]]:
    """Show all methods on the gate's samples, by the number of visible decisions of both users; logs one table."""
    if samples is None:
        return {}
    whole, known = summarise_by_method(samples), summarise_by_history(samples)
    registry.log_table("evaluation", tabulate_evaluation(whole, known))
    return {
        "evaluation": show_table(whole.rename_axis("method").reset_index()),
        "evaluation_by_decisions_known": show_table(tabulate_ranking(known)),
    }


def tabulate_checks(checks: Sequence[GateCheck]) -> pd.DataFrame:
    """Return one row per rule of the gate: check, figure, value, standard error, rule and result.

    A check without rules has a row with its result alone.
    """
    rows = [
        {
            "check": check.name.replace("_", " "),
            "figure": rule.name.replace("_", " ").replace("auc", "AUC"),
            "value": rule.value,
            "standard error": rule.error,
            "required": rule.rule,
            "result": ("met" if rule.is_met else "not met") if rule.is_known else "not judged",
        }
        for check in checks
        for rule in check.rules
    ]
    rows += [{"check": check.name.replace("_", " "), "result": check.state} for check in checks if not check.rules]
    return pd.DataFrame(rows, columns=["check", "figure", "value", "standard error", "required", "result"])


def tabulate_evaluation(whole: pd.DataFrame, known: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per method and amount of history of both users.

    The figures are those of models.ml.evaluation.champion_evaluation.
    """
    tables = {"any": whole} | {HISTORY_LABELS.get(amount, str(amount)): table for amount, table in known.items()}
    parts = [table.rename_axis("method").reset_index().assign(known=name) for name, table in tables.items()]
    together = pd.concat(parts, ignore_index=True)
    return together[["known", *(name for name in together if name != "known")]]


def tabulate_ranking(known: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return the AUC within viewers: one row per method, best first, one column per amount of history.

    MLflow keeps one long table of all figures, which would be too long for Dagster's dialog.
    """
    columns = {HISTORY_LABELS.get(amount, str(amount)): each["AUC within viewers"] for amount, each in known.items()}
    wide = pd.DataFrame(columns).rename_axis("AUC within viewers, decisions known:")
    return wide.sort_values(wide.columns[-1], ascending=False).reset_index()


def explain_checks(checks: Sequence[GateCheck]) -> dict[str, str]:
    """Return the result of each check, passed, failed or not judged, with its sentence.

    Those that do not pass come first, because MLflow shows only the beginning of a long text.
    """
    failed_first = sorted(checks, key=lambda each: each.passed)
    return {each.name: f"{each.state}: {each.sentence}" for each in failed_first}


def write_note(
    version: str,
    promoted: bool,
    rival: str | None,
    trained_on: str,
    why: Mapping[str, str],
    run_id: str,
    *,
    compared: bool = True,
) -> str:
    """Return the Markdown note of an MLflow run.

    Args:
        version: Version of the ranker.
        promoted: Whether it became the champion.
        rival: Version of the champion at that time, None if there was none.
        trained_on: Description of the training data.
        why: Explanation by name of the check.
        run_id: Id of the Dagster run.
        compared: Whether it was compared with that champion.
    """
    became = "is the champion" if promoted else "was refused"
    beside = f"{'' if compared else 'not '}compared with version {rival}, "
    beside += "the champion until then" if promoted else "which remains the champion"
    beside = beside if rival else "there was no champion yet"
    return "\n".join(
        [
            f"**Version {version} {became}.** Trained on {trained_on}; {beside}.",
            f"Made by the Dagster run [{run_id[:8]}]({DAGSTER_URL}/runs/{run_id}). ± is one standard error.",
            f"To train it again on the same data: `matching reproduce {version}`, at the parameter git_commit.",
            "",
            *(f"- {name.replace('_', ' ')}: {sentence}" for name, sentence in why.items()),
        ]
    )
