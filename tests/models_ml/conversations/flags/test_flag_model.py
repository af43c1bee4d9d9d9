"""The classifier of flags: it learns what is planted, is stored without words, and a broken file says so."""

from pathlib import Path

import numpy as np
import pytest

from models.db.errors import IncompatibleModelError
from models.ml.conversations.flags.flag_messages import flag_messages
from models.ml.conversations.flags.flag_model import FlagModel, fit_flag_model, load_flag_model, save_flag_model
from models.ml.conversations.flags.flag_training import Messages, score_out_of_fold, summarise_scores
from models.ml.conversations.flags.near_duplicates import group_near_duplicates

PLANTED = "zorblax"
ORDINARY = [f"message number {number} about the weather of day {number * 7}" for number in range(40)]
FLAGGED = [f"{PLANTED} {text}" for text in ORDINARY[:20]]
BODIES = [*ORDINARY, *FLAGGED]
LABELS = np.arange(len(BODIES)) >= len(ORDINARY)
VECTORS = np.zeros((len(BODIES), 384), np.float32)


@pytest.fixture(scope="module")
def model() -> FlagModel:
    return fit_flag_model(BODIES, VECTORS, LABELS, threshold=0.5)


def test_what_is_planted_is_learned(model: FlagModel) -> None:
    scores = model.predict_encoded([f"today {PLANTED} again", "today it rains"], VECTORS[:2])
    assert scores[0] > 0.5 > scores[1]
    assert model.predict([]).shape == (0,)


def test_a_stored_model_predicts_the_same_and_holds_no_words(model: FlagModel, tmp_path: Path) -> None:
    save_flag_model(model, tmp_path, "abuse")
    loaded = load_flag_model(tmp_path, "abuse")
    assert loaded is not None
    assert loaded.threshold == model.threshold
    assert np.array_equal(loaded.predict_encoded(BODIES, VECTORS), model.predict_encoded(BODIES, VECTORS))
    with np.load(tmp_path / "abuse.npz") as stored:
        assert all(PLANTED not in str(stored[name]) for name in stored.files)
    assert load_flag_model(tmp_path, "advertisement") is None


@pytest.mark.parametrize("content", [b"", b"nothing of ours", b"PK\x03\x04"])
def test_a_broken_model_says_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "abuse.npz").write_bytes(content)
    with pytest.raises(IncompatibleModelError, match="train-flags"):
        load_flag_model(tmp_path, "abuse")


def test_rules_flag_without_a_classifier() -> None:
    flags = flag_messages(["hello", "", "I will kill you", "\ud800", "I'm 15" + " " * 1_000_000], {})
    assert [(each.index, each.kind, each.rule) for each in flags] == [
        (2, "threat", "threat"),
        (4, "under_age", "under_age"),
    ]


def test_near_duplicates_share_a_group() -> None:
    texts = [
        "win 100 pounds now call us",
        "win 250 pounds now call us!",
        "see you",
        "see you",
        "what a lovely day it is",
    ]
    first, second, third, fourth, fifth = group_near_duplicates(texts)
    assert first == second
    assert third == fourth
    assert len({first, third, fifth}) == 3


def test_shuffled_labels_teach_nothing_out_of_fold() -> None:
    luck = np.random.default_rng(3)
    bodies = [" ".join(luck.choice(list("abcdefghijklmnop"), 6)) + f" {number}" for number in range(300)]
    labels = luck.random(300) < 0.5
    scores = score_out_of_fold(Messages(bodies, labels, np.zeros((300, 384), np.float32)))
    assert abs(summarise_scores(scores, labels, 0.5).auc - 0.5) < 0.12
