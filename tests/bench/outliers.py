"""What profiles with absurd values do to the ranker of all others: `python -m tests.bench.outliers`."""

import numpy as np
import pandas as pd
import typer
from scipy.special import expit

from models.ml.arrays import Int64Array
from models.ml.features.training_pairs import build_training_pairs, read_decisions
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.training.imputation import impute_missing
from models.ml.training.train import fit_on_decisions
from models.ml.validation.gate import compute_ranker_metrics
from tests.bench.figures import Row, markdown
from tests.bench.scale.town import Frames, frames

ABSURD = 1e9
ONE_IN = 100  # users


def main(people: int = 2000) -> None:
    """AUC within viewers with and without absurd profiles, on the held-out decisions of all others."""
    town = frames(people)
    some = np.random.default_rng(0).choice(people, people // ONE_IN, replace=False)
    age = town.profiles["age"].where(~np.isin(np.arange(people), some), 110)
    kinds = {
        "nothing absurd": town.profiles,
        f"one profile with traits of {ABSURD:.0e}": _with_traits(town.profiles, some[:1]),
        f"1 % with traits of {ABSURD:.0e}": _with_traits(town.profiles, some),
        "1 % aged 110": town.profiles.assign(age=age),
    }
    rows: list[Row] = [{"profiles": name, **_measure(town, profiles, some)} for name, profiles in kinds.items()]
    typer.echo(markdown(rows))


def _with_traits(profiles: pd.DataFrame, rows: Int64Array) -> pd.DataFrame:
    traits = profiles["traits"].tolist()
    for row in rows:
        traits[row] = dict.fromkeys(traits[row], ABSURD)
    return profiles.assign(traits=traits)


def _measure(town: Frames, profiles: pd.DataFrame, absurd: Int64Array) -> Row:
    """Of the ranker and its linear part, on held-out decisions without the absurd users."""
    ids = pd.Index(profiles["profile_id"])
    pairs = build_training_pairs(town.interactions, ids).sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    decided = read_decisions(pairs, ids)
    spec = fit_feature_spec(profiles, town.answers)
    matrix = build_profile_matrix(spec, profiles, town.answers)
    imputed = build_profile_matrix(spec, *impute_missing(spec, profiles, town.answers, 0))
    fitted, holdout = fit_on_decisions(spec, matrix, imputed, decided, pairs["fold"].to_numpy(np.int64), 0)
    of_others = ~(np.isin(decided.actor, absurd) | np.isin(decided.target, absurd))
    log_odds = {"ranker": fitted.held_out, "linear part": fitted.held_out_linear}
    chances = {name: expit(each)[of_others[holdout.samples]] for name, each in log_odds.items()}
    report = compute_ranker_metrics(holdout.filter(of_others), chances)
    return {name: f"{metrics['within_viewer_auc']:.4f}" for name, metrics in report.items()}


if __name__ == "__main__":
    typer.run(main)
