"""The report of a trained ranker: plots and tables for Dagster and for the MLflow run."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from models.ml.evaluation.champion_evaluation import predict_samples, summarise_by_history, summarise_by_method
from models.ml.monitoring.importance import compute_importance
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.training.train import TrainingResult
from models.ml.validation.gate import GateCheck
from pipelines.reports.plots import draw_figure, show_png, show_table
from pipelines.reports.ranker_plots import plot_calibration, plot_contributions, plot_lift
from pipelines.store.model_registry import ModelRegistry

# The default address of Dagster in `matching ui`.
DAGSTER = "http://127.0.0.1:3000"
HISTORY_LABELS = {-1: "half of all"}


def build_ranker_metadata(
    registry: ModelRegistry,
    trained: TrainingResult,
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    decisions: pd.DataFrame,
) -> Mapping[str, dg.MetadataValue[Any]]:
    """Return the metadata of the ranker, which is also logged to the current MLflow run.

    The ranker is evaluated on held-out folds, by the number of visible decisions of both users. A ranker without a
    report, the prior that is trained without decisions, has no metadata.

    Args:
        registry: Logs to MLflow.
        trained: The result of the training.
        profiles: The profiles frame.
        answers: The embeddings of the answers.
        decisions: The decisions that the ranker was trained on.
    """
    if trained.report is None:
        return {}
    questions = predict_samples(trained.rankers, profiles, answers, decisions)
    importance = compute_importance(trained.rankers.full, profiles, answers, decisions)
    pictures = {
        "calibration": draw_figure(plot_calibration(questions)),
        "lift_by_decile": draw_figure(plot_lift(questions)),
        "contributions": draw_figure(plot_contributions(importance)),
    }
    whole, known = summarise_by_method(questions), summarise_by_history(questions)
    registry.log_table("evaluation", tabulate_evaluation(whole, known))
    for name, png in pictures.items():
        registry.log_png(name, png)
    return {
        **{name: show_png(png) for name, png in pictures.items()},
        "evaluation": show_table(whole.rename_axis("method").reset_index()),
        "evaluation_by_decisions_known": show_table(tabulate_ranking(known)),
    }


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
    """Return whether each check passed, with its sentence.

    Failed checks come first, because MLflow shows only the beginning of a long text.
    """
    failed_first = sorted(checks, key=lambda each: each.passed)
    return {each.name: f"{'passed' if each.passed else 'failed'}: {each.sentence}" for each in failed_first}


def write_note(
    version: str, promoted: bool, rival: str | None, trained_on: str, why: Mapping[str, str], run_id: str
) -> str:
    """Return the Markdown note of an MLflow run.

    Args:
        version: Version of the ranker.
        promoted: Whether it became the champion.
        rival: Version of the champion at that time, None if there was none.
        trained_on: Description of the training data.
        why: Explanation by name of the check.
        run_id: Id of the Dagster run.
    """
    became = "is the champion" if promoted else "was refused"
    lines = [f"- {name.replace('_', ' ')}: {sentence}" for name, sentence in why.items()]
    return "\n".join(
        [
            f"**Version {version} {became}.** Trained on {trained_on}; "
            + (f"compared with version {rival}, the champion until then." if rival else "there was no champion yet."),
            f"Made by the Dagster run [{run_id[:8]}]({DAGSTER}/runs/{run_id}).",
            "",
            *lines,
        ]
    )
