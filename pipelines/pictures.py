"""Pictures of the ranker and of the embeddings: in the assets' metadata, and the ranker's also with its MLflow run."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models.ml.embeddings import Answers, pool
from models.ml.history import Doubles
from models.ml.metrics import lift, reliability, share_error
from pipelines.style import BLUE, COLOURS, GREY, MARKERS, ORANGE, axes, legend

MOST_POINTS = 3000
INTERESTS_SHOWN = 5
ELSE = "none of these"


def calibration(questions: pd.DataFrame) -> Figure:
    """What was predicted and what came, by tenth of the questions (see models.ml.evaluation.examined)."""
    table = reliability(questions["liked"], questions["ranker"])
    figure, points = axes("Is p_like what it says?", "predicted chance of a like (%)", "likes that came (%)")
    most = 105 * float(max(table["predicted"].max(), table["observed"].max()))
    points.plot([0, most], [0, most], color=GREY, linestyle=":", label="as predicted")
    error = 2 * share_error(table["observed"], table["n"])
    points.errorbar(
        100 * table["predicted"],
        100 * table["observed"],
        yerr=100 * error,
        color=BLUE,
        marker="o",
        capsize=3,
        label="a tenth of the questions, ± 2 standard errors",
    )
    points.set(xlim=(0, most), ylim=(0, most))
    legend(points)
    return figure


def lift_by_decile(questions: pd.DataFrame) -> Figure:
    """How many times the usual share of likes is found in each tenth, those with the highest scores first."""
    table = lift(questions["liked"], questions["ranker"])
    title = f"Likes where scores are high: {table['captured'].iloc[: len(table) // 2].max():.0%} in the upper half"
    figure, bars = axes(title, "tenth of the questions, highest scores first", "likes, times the mean rate")
    drawn = bars.bar([str(number) for number in range(1, len(table) + 1)], table["lift"], color=BLUE)
    bars.bar_label(drawn, fmt="{:.2f}", padding=2, fontsize=9)
    bars.axhline(1, color=ORANGE, linestyle="--", label="at random")
    bars.grid(visible=False, axis="x")
    bars.margins(y=0.12)
    legend(bars)
    return figure


def contributions(importance: "pd.Series[float]") -> Figure:
    """How much each subject moves the log-odds of a like on average, float64 by subject."""
    ordered = importance.sort_values()
    figure, bars = axes("What moves the ranker", "mean change of the log-odds of a like, either way", "", width=7)
    drawn = bars.barh(ordered.index, ordered, color=BLUE)
    bars.bar_label(drawn, fmt="{:.2f}", padding=3)
    bars.grid(visible=False, axis="y")
    bars.margins(x=0.12)
    return figure


def embedding_map(profiles: pd.DataFrame, answers: Answers) -> Figure:
    """Everybody's vector, or 3,000 people's, on its two principal components, by the town's commonest interests."""
    ids, vectors = pool(answers)
    rows = np.sort(np.random.default_rng(0).permutation(len(ids))[:MOST_POINTS])
    at, shares = principal_plane(vectors[rows].astype(np.float64))
    interests = profiles.set_index("profile_id")["interests"].reindex(ids[rows])
    common = interests.explode().value_counts().index[:INTERESTS_SHOWN]
    first = np.array([next((each for each in common if each in cell), ELSE) for cell in interests], object)
    x, y = (
        f"{name} principal component ({share:.0%} of variance)"
        for name, share in zip(("first", "second"), shares, strict=True)
    )
    figure, points = axes(
        "What people write, by the first of the commonest interests they have", x, y, width=7.5, height=5
    )
    for name, colour, marker in [(ELSE, GREY, "."), *zip(common, COLOURS, MARKERS, strict=False)]:
        mine = first == name
        points.scatter(at[mine, 0], at[mine, 1], s=24, color=colour, marker=marker, alpha=0.6, linewidths=0, label=name)
    legend(points)
    return figure


def principal_plane(vectors: Doubles) -> tuple[Doubles, Doubles]:
    """Points (n, 2) of vectors (n, d) on their first two principal components, and the share of variance of each."""
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    plane = np.zeros((len(vectors), 2))
    shares = np.zeros(2)
    if len(vectors) > 1:
        left, spread, _ = np.linalg.svd(centred, full_matrices=False)
        here = min(2, len(spread))
        plane[:, :here] = left[:, :here] * spread[:here]
        shares[:here] = spread[:here] ** 2 / max((spread**2).sum(), 1e-12)
    return plane, shares
