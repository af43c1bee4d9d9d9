"""What a training shows of its ranker: pictures and tables, in Dagster and with the MLflow run alike."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from models.ml.embeddings import Answers
from models.ml.evaluation.examined import by_known, by_method, examined
from models.ml.gate import Check
from models.ml.importance import importance
from models.ml.training import Trained
from pipelines.pictures import calibration, contributions, lift_by_decile
from pipelines.plots import picture, table
from pipelines.registry import Registry

# Where `matching ui` serves Dagster.
DAGSTER = "http://127.0.0.1:3000"
KNOWN = {-1: "half of all"}


def shown(
    registry: Registry, trained: Trained, profiles: pd.DataFrame, answers: Answers, decisions: pd.DataFrame
) -> Mapping[str, dg.MetadataValue[Any]]:
    """Metadata of the ranker, kept with the current MLflow run too; nothing of a prior, which knows no decision.

    The ranker is examined on folds that it did not see, with more or less known of both people.
    """
    if trained.report is None:
        return {}
    questions = examined(trained.rankers, profiles, answers, decisions)
    figures = {
        "calibration": calibration(questions),
        "lift_by_decile": lift_by_decile(questions),
        "contributions": contributions(importance(trained.rankers.whole, profiles, answers, decisions)),
    }
    whole, known = by_method(questions), by_known(questions)
    registry.tabulate("evaluation", evaluation_table(whole, known))
    for name, figure in figures.items():
        registry.draw(name, figure)
    return {
        **{name: picture(figure) for name, figure in figures.items()},
        "evaluation": table(whole.rename_axis("method").reset_index()),
        "evaluation_by_decisions_known": table(ranking_table(known)),
    }


def evaluation_table(whole: pd.DataFrame, known: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """A row a method and amount known of both people; the figures of models.ml.evaluation.examined."""
    tables = {"any": whole} | {KNOWN.get(amount, str(amount)): table for amount, table in known.items()}
    parts = [table.rename_axis("method").reset_index().assign(known=name) for name, table in tables.items()]
    together = pd.concat(parts, ignore_index=True)
    return together[["known", *(name for name in together if name != "known")]]


def ranking_table(known: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """AUC within viewers: a row a method, best first, a column an amount known of both people.

    MLflow keeps one long table of all figures; in Dagster's window its head would be out of sight.
    """
    columns = {KNOWN.get(amount, str(amount)): each["AUC within viewers"] for amount, each in known.items()}
    wide = pd.DataFrame(columns).rename_axis("AUC within viewers, decisions known:")
    return wide.sort_values(wide.columns[-1], ascending=False).reset_index()


def reasons(checks: Sequence[Check]) -> dict[str, str]:
    """Check → whether it passed, and its sentence; what failed first, as of a long text MLflow shows the beginning."""
    failed_first = sorted(checks, key=lambda each: each.passed)
    return {each.name: f"{'passed' if each.passed else 'failed'}: {each.sentence}" for each in failed_first}


def note(version: str, promoted: bool, rival: str | None, trained_on: str, why: Mapping[str, str], run_id: str) -> str:
    """What MLflow tells of a run, in Markdown: what became of it, on what, by which Dagster run, and why."""
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
