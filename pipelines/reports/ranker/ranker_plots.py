"""Plots of the ranker for the asset's metadata and the MLflow run."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.ml.validation.gate_rules import GateCheck, Rule
from models.ml.validation.score_metrics import compute_binomial_standard_error, compute_lift, compute_reliability
from pipelines.reports.plot_style import BLUE, GREY, ORANGE, STYLE, VERMILION, add_legend, make_axes


def plot_calibration(questions: pd.DataFrame) -> Figure:
    """Plot predicted probability against observed frequency by decile of the samples.

    The samples come from models.ml.evaluation.champion_evaluation.
    """
    table = compute_reliability(questions["liked"], questions["ranker"])
    figure, points = make_axes("Is p_like calibrated?", "predicted probability of a like (%)", "observed likes (%)")
    most = 105 * float(max(table["predicted"].max(), table["observed"].max()))
    points.plot([0, most], [0, most], color=GREY, linestyle=":", label="as predicted")
    error = 2 * compute_binomial_standard_error(table["observed"], table["n"])
    points.errorbar(
        100 * table["predicted"],
        100 * table["observed"],
        yerr=100 * error,
        color=BLUE,
        marker="o",
        capsize=3,
        label="a tenth of the samples, ± 2 standard errors",
    )
    points.set(xlim=(0, most), ylim=(0, most))
    add_legend(points)
    return figure


def plot_lift(questions: pd.DataFrame) -> Figure:
    """Plot the share of likes in each decile of the samples relative to the mean, highest scores first."""
    table = compute_lift(questions["liked"], questions["ranker"])
    title = f"Likes where scores are high: {table['captured'].iloc[: len(table) // 2].max():.0%} in the upper half"
    figure, bars = make_axes(title, "tenth of the samples, highest scores first", "likes, times the mean rate")
    bars.axhline(1, color=ORANGE, linestyle="--", label="at random", zorder=0.5)
    drawn = bars.bar([str(number) for number in range(1, len(table) + 1)], table["lift"], color=BLUE)
    # A white background keeps the line of the random order from striking through a number.
    bars.bar_label(drawn, fmt="{:.2f}", padding=2, fontsize=9, bbox={"color": "white", "pad": 0.5})
    bars.grid(visible=False, axis="x")
    bars.margins(y=0.12)
    add_legend(bars)
    return figure


def plot_gate(checks: Sequence[GateCheck]) -> Figure:
    """Plot each known figure of the gate with its bound, one row each on its own scale.

    Args:
        checks: Checks, with at least one figure that is known.
    """
    # A rule that several checks share, as those of a ranker that learned nothing, is drawn once.
    drawn = {id(rule): rule for check in checks for rule in check.rules if rule.is_known}
    labels = {id(rule): check.name for check in reversed(checks) for rule in check.rules}
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 0.9 + 0.75 * len(drawn)), layout="constrained")
        rows = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
        figure.suptitle("The gate: each figure ± its standard error, and what is accepted (grey)", fontsize=12)
        for axes, (key, rule) in zip(rows, drawn.items(), strict=True):
            _plot_rule(axes, rule, f"{labels[key]}\n{rule.name}".replace("_", " ").replace("auc", "AUC"))
    return figure


def _plot_rule(axes: Axes, rule: Rule, label: str) -> None:
    error = 0.0 if math.isnan(rule.error) else rule.error
    colour, marker = (BLUE, "o") if rule.is_met else (VERMILION, "X")
    span = 1.3 * max(abs(rule.value - rule.bound) + error, abs(rule.bound) / 10, 1e-3)
    low, high = rule.bound - span, rule.bound + span
    accepted = (low, rule.bound) if rule.relation == "at most" else (rule.bound, high)
    axes.axvspan(*accepted, color=GREY, alpha=0.2, linewidth=0)
    axes.axvline(rule.bound, color=GREY)
    axes.errorbar([rule.value], [0], xerr=[error], color=colour, marker=marker, capsize=3, markersize=8)
    axes.set(xlim=(low, high), ylim=(-1, 1), yticks=[0], yticklabels=[label])
    axes.set_title(f"{'met' if rule.is_met else 'NOT met'}: {rule.rule}", loc="right", fontsize=9, pad=2)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(labelsize=9)


def plot_contributions(importance: "pd.Series[float]") -> Figure:
    """Plot how much each subject changes the log-odds of a like on average.

    Args:
        importance: Mean absolute change by subject, float64.
    """
    ordered = importance.sort_values()
    figure, bars = make_axes("What moves the ranker", "mean change of the log-odds of a like, either way", "", width=7)
    drawn = bars.barh(ordered.index, ordered, color=BLUE)
    bars.bar_label(drawn, fmt="{:.2f}", padding=3)
    bars.grid(visible=False, axis="y")
    bars.margins(x=0.12)
    return figure
