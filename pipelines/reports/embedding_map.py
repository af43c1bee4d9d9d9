"""The map of the embeddings: groups of people who write alike, and which interests stand out in each."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.cluster import KMeans

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings, pool_by_profile
from pipelines.reports.plot_style import COLOURS, MARKERS, make_axes

MAX_POINTS = 3000
GROUPS = len(COLOURS)
INTERESTS_NAMED = 3
# Of an interest that fewer have, how often it comes in a group says little.
MIN_PROFILES = 10


def plot_embedding_map(profiles: pd.DataFrame, answers: AnswerEmbeddings) -> Figure:
    """Everybody's vector, or 3,000 people's, on the plane where groups of them lie farthest apart.

    The groups are found by k-means (MacQueen, 1967) from the vectors alone, and named by the interests, which the
    encoder is not shown, that come most often in them beside the town.
    """
    ids, vectors = pool_by_profile(answers)
    rows = np.sort(np.random.default_rng(0).permutation(len(ids))[:MAX_POINTS])
    group, middles = find_clusters(vectors[rows].astype(np.float64))
    at, shares = project_to_plane(vectors[rows].astype(np.float64), middles, np.bincount(group, minlength=len(middles)))
    interests = profiles.set_index("profile_id")["interests"].reindex(ids[rows]).reset_index(drop=True)
    x, y = (
        f"{name} direction that parts them ({share:.0%} of variance)"
        for name, share in zip(("first", "second"), shares, strict=True)
    )
    figure, points = make_axes("People who write alike, grouped by their texts alone", x, y, width=8.5, height=5.5)
    for number, (colour, marker) in enumerate(zip(COLOURS, MARKERS, strict=True)):
        if (mine := group == number).any():
            label = f"{mine.sum():,} people: {name_distinctive_interests(interests, mine)}"
            points.scatter(
                at[mine, 0], at[mine, 1], s=20, color=colour, marker=marker, alpha=0.6, linewidths=0, label=label
            )
    if len(rows):
        title = "interests that stand out in each group (times the town's share)"
        figure.legend(title=title, loc="outside lower center", ncols=2, frameon=False, fontsize=9.5)
    return figure


def find_clusters(vectors: Float64Array) -> tuple[Int64Array, Float64Array]:
    """Each one's group, int64 (n,), and the middles of the groups, float64 (groups, d), of vectors (n, d)."""
    different = len(np.unique(vectors, axis=0))
    if different < GROUPS:
        return np.zeros(len(vectors), np.int64), vectors[:1]
    found = KMeans(GROUPS, n_init=1, random_state=0).fit(vectors)
    return found.labels_.astype(np.int64), found.cluster_centers_


def name_distinctive_interests(interests: "pd.Series[list[str]]", mine: BoolArray) -> str:
    """The interests that come most often among some, a mask (n,), beside how often they come among all."""
    had = interests.explode().dropna()
    of_all = had.value_counts()
    times = (had[mine[had.index]].value_counts() / mine.sum()) / (of_all / len(interests))
    most = times[of_all >= MIN_PROFILES].dropna().sort_index().sort_values(ascending=False, kind="stable")
    named = [f"{name} ({ratio:.1f})" for name, ratio in most.head(INTERESTS_NAMED).items() if ratio > 1]
    return ", ".join(named) or "none"


def project_to_plane(
    vectors: Float64Array, middles: Float64Array, sizes: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Points (n, 2) of vectors (n, d) where their groups, of these middles (g, d) and sizes (g,), lie farthest apart.

    That is on the first two principal components of the middles. With the share of the vectors' variance along each.
    """
    points, shares = np.zeros((len(vectors), 2)), np.zeros(2)
    if len(vectors) > 1:
        middle = vectors.mean(axis=0)
        centred, apart = vectors - middle, (middles - middle) * np.sqrt(sizes)[:, None]
        _, spread, directions = np.linalg.svd(apart, full_matrices=False)
        here = min(2, int((spread > 1e-9).sum()))
        points[:, :here] = centred @ directions[:here].T
        shares[:] = (points**2).sum(axis=0) / max((centred**2).sum(), 1e-12)
    return points, shares
