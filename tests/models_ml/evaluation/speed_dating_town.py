"""The public speed-dating evenings as frames, without a database: cold settings by evening for the baselines."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from models.ml.arrays import Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput
from models.ml.evaluation.protocols import split_by_group
from models.ml.features.decision_history import Decisions
from models.ml.features.training_pairs import build_training_pairs
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from pipelines.loaders import speed_dating
from pipelines.loaders.records import Interaction, Person, compute_age
from tests.models_ml.conftest import somebody
from tests.models_ml.evaluation.toys import strangers
from tests.pipelines.loaders.conftest import public_file


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profiles, with the ages of their evening, and training pairs; skips the test where the file is not."""
    source = speed_dating.read_speed_dating(public_file("speed_dating.csv"))
    evening = {each.actor_key: each.created_at.date() for each in source.interactions}
    # Who decided nothing is in no pair: any day will do.
    some_day = min(evening.values())
    guests = pd.DataFrame(
        [_profile(each, compute_age(each.birth_date, evening.get(each.source_key, some_day))) for each in source.people]
    )
    decided = pd.DataFrame([_row(number, each) for number, each in enumerate(source.interactions)])
    return guests, build_training_pairs(decided, pd.Index(guests["profile_id"]))


def _profile(guest: Person, age: int) -> dict[str, object]:
    told = {name: getattr(guest, name) for name in ("gender", "texts", "traits", "facts", "wants")}
    return somebody(guest.source_key, age=age, seeks=list(guest.seeks), interests=list(guest.interests), **told)


def _row(number: int, each: Interaction) -> dict[str, object]:
    return {
        "interaction_id": f"{number:06d}",
        "actor_id": each.actor_key,
        "target_id": each.target_key,
        "kind": each.kind,
        "created_at": each.created_at,
    }


def cold(guests: pd.DataFrame, decided: pd.DataFrame) -> Iterator[tuple[BaselineInput, Int64Array]]:
    """Each fifth of the evenings held out, nothing known of its guests but their questionnaires; and its rows."""
    ids = pd.Index(guests["profile_id"])
    viewer, candidate = (ids.get_indexer(pd.Index(decided[side])) for side in ("viewer_id", "candidate_id"))
    liked, group = decided["liked"].to_numpy(bool), decided["group"].to_numpy(np.int64)
    for train, held in split_by_group(group):
        spec = fit_feature_spec(guests.iloc[np.unique(viewer[train])].reset_index(drop=True), NO_ANSWERS)
        arrays = build_profile_matrix(spec, guests, NO_ANSWERS)
        at_once, in_full = np.zeros(len(train), np.int64), np.ones(len(train))
        known = Decisions(viewer[train], candidate[train], liked[train], at_once, in_full)
        yield (
            BaselineInput(
                specification=spec,
                base_rate=float(liked[train].mean()),
                gender=pd.factorize(guests["gender"])[0].astype(np.int64),
                train=strangers(arrays, viewer[train], candidate[train]),
                train_liked=liked[train],
                train_group=group[train],
                test=strangers(arrays, viewer[held], candidate[held]),
                events=known,
                seed=0,
            ),
            held,
        )
