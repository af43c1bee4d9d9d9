"""What profiles with absurd values do to the ranker of everybody else: `python -m tests.bench.outliers`."""

from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from scipy.special import expit

from models.ml.features.training_pairs import build_training_pairs, read_decisions
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix as arrays_of
from models.ml.training.imputation import impute_missing
from models.ml.training.train import fit_on_decisions
from models.ml.validation.gate import compute_ranker_metrics
from tests.bench.figures import Row, markdown
from tests.bench.scale.town import Frames, frames

ABSURD = 1e9
SHARE = 100
"""One person in so many."""
Rows = NDArray[np.int64]


def main(people: Annotated[int, typer.Argument(help="In the simulated town.")] = 2000) -> None:
    """AUC within viewers with and without absurd profiles, on the held-out decisions of all others."""
    town = frames(people)
    some = np.random.default_rng(0).choice(people, people // SHARE, replace=False)
    profiles = town.profiles
    kinds = {
        "nothing absurd": profiles,
        f"one profile with traits of {ABSURD:.0e}": with_traits(profiles, some[:1]),
        f"1 % with traits of {ABSURD:.0e}": with_traits(profiles, some),
        "1 % aged 110": profiles.assign(age=np.where(np.isin(np.arange(people), some), 110, profiles["age"])),
    }
    rows: list[Row] = [{"profiles": name, **measure(town, changed, some)} for name, changed in kinds.items()]
    typer.echo(markdown(rows))


def with_traits(profiles: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """The frame, with every trait of some rows ABSURD."""
    cells = profiles["traits"].tolist()
    for row in rows:
        cells[row] = dict.fromkeys(cells[row], ABSURD)
    return profiles.assign(traits=cells)


def measure(town: Frames, profiles: pd.DataFrame, but: Rows) -> Row:
    """AUC within viewers, of the ranker and its linear part, on held-out decisions that none of `but` is in."""
    ids = pd.Index(profiles["profile_id"])
    pairs = build_training_pairs(town.interactions, ids).sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    decided = read_decisions(pairs, ids)
    spec = fit_feature_spec(profiles, town.answers)
    arrays = arrays_of(spec, profiles, town.answers)
    answered = arrays_of(spec, *impute_missing(spec, profiles, town.answers, 0))
    fold = pairs["fold"].to_numpy(np.int64)
    fitted, holdout = fit_on_decisions(spec, arrays, answered, decided, fold, 0)
    of_others = ~(np.isin(decided.actor, but) | np.isin(decided.target, but))
    chances = {"ranker": fitted.held_out, "linear part": fitted.held_out_linear}
    asked = of_others[holdout.samples]
    report = compute_ranker_metrics(
        holdout.filter(of_others), {name: expit(each)[asked] for name, each in chances.items()}
    )
    figures: Row = {name: f"{metrics['within_viewer_auc']:.4f}" for name, metrics in report.items()}
    return figures


if __name__ == "__main__":
    typer.run(main)
