"""The map of the embeddings: groups of users with similar texts, and the interests that are distinctive of each."""

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
# The frequency ratio of an interest that fewer users have is too noisy.
MIN_PROFILES = 10


def plot_embedding_map(profiles: pd.DataFrame, answers: AnswerEmbeddings) -> Figure:
    """Plot the vectors of up to MAX_POINTS users on the plane that best separates groups of them.

    k-means (MacQueen, 1967) finds the groups from the vectors alone. Interests label them: those most frequent relative
    to the population. The encoder does not see interests.
    """
    ids, vectors = pool_by_profile(answers)
    rows = np.sort(np.random.default_rng(0).permutation(len(ids))[:MAX_POINTS])
    group, middles = find_clusters(vectors[rows].astype(np.float64))
    at, shares = project_to_plane(vectors[rows].astype(np.float64), middles, np.bincount(group, minlength=len(middles)))
    interests = profiles.set_index("profile_id")["interests"].reindex(ids[rows]).reset_index(drop=True)
    x, y = (
        f"{name} direction that separates them ({share:.0%} of variance)"
        for name, share in zip(("first", "second"), shares, strict=True)
    )
    figure, points = make_axes("People with similar texts, grouped by their texts alone", x, y, width=8.5, height=5.5)
    for number, (colour, marker) in enumerate(zip(COLOURS, MARKERS, strict=True)):
        if (mine := group == number).any():
            label = f"{mine.sum():,} people: {name_distinctive_interests(interests, mine)}"
            points.scatter(
                at[mine, 0], at[mine, 1], s=20, color=colour, marker=marker, alpha=0.6, linewidths=0, label=label
            )
    if len(rows):
        title = "distinctive interests of each group (times the share of all)"
        figure.legend(title=title, loc="outside lower center", ncols=2, frameon=False, fontsize=9.5)
    return figure


def find_clusters(vectors: Float64Array) -> tuple[Int64Array, Float64Array]:
    """Return the group of each vector, and the centres of the groups.

    Args:
        vectors: Shape (n, d).

    Returns:
        Groups, int64 (n,), and centres, float64 (groups, d). Fewer than GROUPS different vectors form one group.
    """
    different = len(np.unique(vectors, axis=0))
    if different < GROUPS:
        return np.zeros(len(vectors), np.int64), vectors[:1]
    found = KMeans(GROUPS, n_init=1, random_state=0).fit(vectors)
    return found.labels_.astype(np.int64), found.cluster_centers_


def name_distinctive_interests(interests: "pd.Series[list[str]]", mine: BoolArray) -> str:
    """Return the interests that are most frequent in a group relative to all users.

    Args:
        interests: The interests of each user, shape (n,).
        mine: Mask of the group, shape (n,).

    Returns:
        Up to INTERESTS_NAMED names with the ratio of frequencies, or "none".
    """
    had = interests.explode().dropna()
    of_all = had.value_counts()
    times = (had[mine[had.index]].value_counts() / mine.sum()) / (of_all / len(interests))
    most = times[of_all >= MIN_PROFILES].dropna().sort_index().sort_values(ascending=False, kind="stable")
    named = [f"{name} ({ratio:.1f})" for name, ratio in most.head(INTERESTS_NAMED).items() if ratio > 1]
    return ", ".join(named) or "none"


def project_to_plane(
    vectors: Float64Array, middles: Float64Array, sizes: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Project vectors on the plane on which their groups are farthest apart.

    The plane is spanned by the first two principal components of the group centres.

    Args:
        vectors: Shape (n, d).
        middles: Centres of the groups, shape (g, d).
        sizes: Sizes of the groups, shape (g,).

    Returns:
        Points (n, 2), and the share of the vectors' variance along each axis, shape (2,).
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
