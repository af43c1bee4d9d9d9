"""The metadata of the ranker and the embeddings, in Dagster and with the MLflow run."""

import numpy as np
import pandas as pd
import pytest

from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.validation.gate import GateCheck
from pipelines.reports.embedding_map import (
    GROUPS,
    find_clusters,
    name_distinctive_interests,
    plot_embedding_map,
    project_to_plane,
)
from pipelines.reports.ranker_plots import plot_calibration, plot_lift
from pipelines.reports.ranker_report import explain_checks, write_note


def test_points_on_a_line_lie_on_the_first_component() -> None:
    line = np.outer([-1.0, 0.0, 3.0], [3.0, 0.0, 4.0])
    points, shares = project_to_plane(line, line, np.ones(3, np.int64))
    assert np.abs(points[:, 0] - points[1, 0]) == pytest.approx([5, 0, 15])
    assert points[:, 1] == pytest.approx(np.zeros(3), abs=1e-9)
    assert shares == pytest.approx([1, 0])
    for people in (0, 1):
        group, middles = find_clusters(np.ones((people, 5)))
        points, shares = project_to_plane(np.ones((people, 5)), middles, np.bincount(group, minlength=len(middles)))
        assert points.tolist() == [[0.0, 0.0]] * people
        assert shares.tolist() == [0, 0]


def test_groups_are_found_and_named_by_their_interests() -> None:
    planted = np.repeat(np.arange(GROUPS), 20)
    vectors = np.eye(GROUPS, 384)[planted] + np.random.default_rng(0).normal(0, 0.01, (len(planted), 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"{number:03}" for number in range(len(planted))]
    profiles = pd.DataFrame({"profile_id": ids, "interests": [["chess", f"only {number}"] for number in planted]})
    keys = pd.DataFrame({"profile_id": ids, "prompt": "", "text_hash": ""})
    figure = plot_embedding_map(profiles, AnswerEmbeddings(keys, vectors.astype(np.float16)))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(labels) == [f"20 people: only {number} ({GROUPS:.1f})" for number in range(GROUPS)]
    assert name_distinctive_interests(pd.Series([["chess"]] * 20), np.arange(20) < 5) == "none"


def test_calibration_and_lift_draw_their_tables() -> None:
    chance = np.repeat([0.2, 0.8], 50)
    liked = np.tile(np.arange(10), 10) < 10 * chance
    questions = pd.DataFrame({"ranker": chance, "liked": liked})
    drawn = plot_calibration(questions).axes[0].lines[1].get_xydata()
    assert np.asarray(drawn) == pytest.approx(np.array([[20, 20]] * 5 + [[80, 80]] * 5))
    bars = [patch.get_height() for patch in plot_lift(questions).axes[0].patches]  # type: ignore[attr-defined]
    assert bars == pytest.approx([1.6] * 5 + [0.4] * 5)


def test_the_note_of_a_refused_version_begins_with_the_reason() -> None:
    why = explain_checks([GateCheck("does_not_leak", True, "no"), GateCheck("is_calibrated", False, "too far off")])
    first, *_, failed, passed = write_note("4", False, "2", "9 profiles", why, "abcdefgh-1").splitlines()
    assert first.startswith("**Version 4 was refused.**")
    assert "version 2" in first
    assert (failed, passed) == ("- is calibrated: failed: too far off", "- does not leak: passed: no")
