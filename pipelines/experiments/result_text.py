"""The results of an experiment in words and tables: on the terminal, and as metadata of the asset."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from rich.table import Table

from models.experiments.design.experiment import Unit
from models.experiments.statistics.analysis import Effect
from models.experiments.statistics.contamination import LEAST_CONTRAST
from models.experiments.statistics.lift_sequence import Look
from models.experiments.statistics.metrics import METRICS
from models.experiments.statistics.verdict import Verdict
from pipelines.experiments.experiment_results import ArmResult, ExperimentResults

NONE = "-"
WHY = {
    Verdict.keep_running: "the interval still has 0 in it, and it can be known by the end date",
    Verdict.better: "the interval of the primary metric is above 0",
    Verdict.worse: "the interval of the primary metric is below 0",
    Verdict.alike: "the whole interval is nearer to 0 than the smallest effect",
    Verdict.cannot_tell: "the interval will be wider than what there is to see",
}
LEAST_OWN_LISTS = 0.9
"""With fewer impressions from the night's own lists, an arm is seen too little to be judged."""
MOST_SHOWN = 10.0
"""Ends of intervals above it, a tenfold increase, are not bounds of anything."""
SEQUENCE_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("metric", "arm", "design"), "str"),
    "night": "int64",
    **dict.fromkeys(("lift", "low", "high"), "float64"),
}
HEADINGS = ("metric", "arm", "control", "this arm", "lift [interval]", "by person, naive")


def tabulate_results(results: ExperimentResults) -> pd.DataFrame:
    """Tabulate the effects as text, a row for each metric and arm, with HEADINGS; metrics with nothing to say are out.

    Rates are of whole arms. Where the lift knows of interference, the naive one stands beside it.
    """
    rows = [_format_effect(effect) for effect in _order_effects(results) if effect.looks]
    return pd.DataFrame(rows, columns=list(HEADINGS))


def build_table(frame: pd.DataFrame) -> Table:
    """Build a table of text for the terminal."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in frame.columns:
        table.add_column(str(name), justify="left" if name in ("metric", "arm") else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def tabulate_exposure(results: ExperimentResults) -> pd.DataFrame:
    """Tabulate who is in each arm and what they saw, as text."""
    shown = results.exposure
    return pd.DataFrame(
        {
            "arm": shown["arm"],
            "units": shown["units"].map(_format_count),
            "users": shown["users"].map(_format_count),
            "nights opened": shown["opened"].map(_format_share),
            "from the night's list": shown["own_lists"].map(_format_share),
        }
    )


def describe_verdict(results: ExperimentResults, arm: ArmResult) -> str:
    """Describe what to do about an arm, in one sentence; arms of wrong sizes have no verdict."""
    if results.wrong_ratio:
        return f"{arm.arm}: no verdict, because the arms cannot be compared."
    night = f"night {results.progress.nights} of {results.progress.planned}"
    why = f"the guardrail {arm.broken[0]} got worse" if arm.broken else WHY[arm.verdict]
    return f"{arm.arm}: {arm.verdict} ({night}; {why})."


def describe_doubts(results: ExperimentResults) -> Iterator[str]:
    """Describe what speaks against believing the result, in sentences."""
    if results.wrong_ratio:
        yield "Do not believe it: the arms have other numbers of units than their shares. The assignment is broken."
    for arm in results.arms:
        yield from _describe_interference(results, arm)
    for effect in results.effects:
        if effect.metric in results.experiment.guardrails and not effect.looks:
            yield f"{effect.arm}: nothing can be said of the guardrail {effect.metric}."
    low = results.exposure[results.exposure["own_lists"] < LEAST_OWN_LISTS]
    for _, row in low.iterrows():
        yield f"{row['arm']}: only {row['own_lists']:.0%} of the impressions came from the list of the night."
    for effect in results.effects:
        if effect.metric == "opened" and effect.looks and not _has_zero(effect.looks[-1]):
            yield f"{effect.arm}: users open the app more or less often than in the control: are all views logged?"


def tabulate_sequences(results: ExperimentResults) -> pd.DataFrame:
    """Tabulate all looks, with SEQUENCE_TYPES; lift, low and high are relative differences.

    The design is "naive" or "aware" (of interference).
    """
    rows = [
        (effect.metric, effect.arm, design, look.night, *np.expm1(_list_ends(look)))
        for effect in results.effects
        for design, looks in (("naive", effect.naive), ("aware", effect.aware))
        for look in looks
    ]
    return pd.DataFrame(rows, columns=list(SEQUENCE_TYPES)).astype(dict(SEQUENCE_TYPES))


def _order_effects(results: ExperimentResults) -> list[Effect]:
    """Return the effects, the primary metric first, then the guardrails."""
    chosen = [results.experiment.primary, *results.experiment.guardrails]
    ranks: Mapping[str, int] = {name: len(chosen) - place for place, name in enumerate(chosen)}
    return sorted(results.effects, key=lambda effect: -ranks.get(effect.metric, 0))


def _format_effect(effect: Effect) -> tuple[str, ...]:
    last = effect.looks[-1]
    sides = (f"{value:.4g}" for value in (last.lift.control, last.lift.treatment))
    naive = _format_look(effect.naive[-1]) if effect.naive and effect.aware else NONE
    return METRICS[effect.metric].label, effect.arm, *sides, _format_look(last), naive


def _format_look(look: Look) -> str:
    lift, low, high = np.expm1(_list_ends(look))
    return f"{lift:+.1%} [{low:+.1%}, {high:+.1%}]" if high < MOST_SHOWN else f"{lift:+.1%} [{low:+.1%}, no bound]"


def _describe_interference(results: ExperimentResults, arm: ArmResult) -> Iterator[str]:
    if results.experiment.unit is Unit.night:
        return
    if arm.contrast < LEAST_CONTRAST:
        yield (
            f"{arm.arm}: too many matches are between users of different arms (contrast {arm.contrast:.2f}), so the "
            "lift in matches is naive: in simulated markets it misses more than half of the effect. Assign regions or "
            "nights."
        )
    elif arm.contrast < 1:
        yield f"{arm.arm}: the lift in matches is corrected for matches between the arms (contrast {arm.contrast:.2f})."


def _has_zero(look: Look) -> bool:
    return look.interval.low <= 0 <= look.interval.high


def _list_ends(look: Look) -> list[float]:
    return [look.interval.estimate, look.interval.low, look.interval.high]


def _format_count(count: float) -> str:
    return NONE if np.isnan(count) else f"{count:,.0f}"


def _format_share(share: float) -> str:
    return NONE if np.isnan(share) else f"{share:.1%}"
