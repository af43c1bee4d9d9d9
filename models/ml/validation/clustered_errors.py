"""How far chance may move an AUC within viewers, where decisions share viewers and candidates."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def estimate_within_viewer_auc_error(
    lists: ArrayLike, viewer: ArrayLike, candidate: ArrayLike, label: ArrayLike, score: ArrayLike
) -> float:
    """The standard error of the mean AUC over lists, clustered by viewer and by candidate; NaN for under two viewers.

    The rows, (n,), are those of `score_metrics.compute_within_viewer_aucs`: a list holds some candidates of one viewer,
    and the same decision may be in several lists. Lists err together: those of a viewer, and all in which a candidate
    stands.

    What a decision adds to the mean is its placement (DeLong, DeLong & Clarke-Pearson 1988): the share of the other
    kind in its list that it stands on the right side of, less the mean. Each duel counts once with its like and once
    with its pass, so that of a viewer's sum one half is the viewer's own. The squared sums by viewer and by candidate
    are added up (Cameron, Gelbach & Miller 2011), and those by decision, which both hold, are not taken off again. They
    would be if scores were given; but folds are scored by what was learned from each other, so that chance agreement of
    two folds counts in both, twice the variance where nothing was learned, and no estimate from the rows sees
    that (Bengio & Grandvalet 2004). Over 100 small towns of pure noise the AUC's standard deviation is 0.015, this
    0.016, without the decisions' squares 0.011 and by lists alone 0.008.
    """
    columns = {"list": lists, "viewer": viewer, "candidate": candidate, "label": label, "score": score}
    rows = _compute_placements(pd.DataFrame({name: np.asarray(column) for name, column in columns.items()}))
    by_viewer, by_candidate = (rows.groupby(who)["adds"].sum() for who in ("viewer", "candidate"))
    # Both sums are nothing over all, so that these are squares with Cameron's correction for few clusters.
    return float(np.sqrt(len(by_viewer) * (by_viewer / 2).var() + len(by_candidate) * by_candidate.var()))


def _compute_placements(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in lists that have both kinds, and what each `adds` to the mean AUC over lists."""
    rows = rows.astype({"label": bool})
    positives, size = (rows.groupby("list")["label"].transform(name) for name in ("sum", "size"))
    both = (positives > 0) & (positives < size)
    rows, size = rows[both], size[both]
    own = rows.groupby(["list", "label"])["score"]
    alike = own.transform("size")
    below = (rows.groupby("list")["score"].rank() - own.rank()) / (size - alike)
    placement = below.where(rows["label"], 1 - below)
    count = rows["list"].nunique()
    mean = placement[rows["label"]].groupby(rows["list"]).mean().mean()
    return rows.assign(adds=(placement - mean) / alike / count)
