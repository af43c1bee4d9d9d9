"""The metadata of the ranker and the embeddings, in Dagster and with the MLflow run."""

import numpy as np
import pandas as pd
import pytest

from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.validation.gate_rules import Rule, judge, leave_unjudged
from pipelines.reports.embedding_map import (
    GROUPS,
    find_clusters,
    name_distinctive_interests,
    plot_embedding_map,
    project_to_plane,
)
from pipelines.reports.ranker.ranker_plots import plot_calibration, plot_gate, plot_lift
from pipelines.reports.ranker.ranker_report import tabulate_checks


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
    figure = plot_embedding_map(profiles, AnswerEmbeddings(keys, vectors.astype(np.float16), "letters"))
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


def test_the_picture_of_the_gate_says_what_is_not_met() -> None:
    bad, good = Rule("loss", "log loss", 0.3, "at most", 0.1, 0.02), Rule("auc", "AUC", 0.7, "above", 0.5)
    unknown = Rule("match_auc", "AUC", np.nan, "at most", 0.68)
    checks = [judge("is_calibrated", [bad]), judge("does_not_leak", [good, unknown])]
    rows = plot_gate(checks).axes
    labels = [row.get_yticklabels()[0].get_text() for row in rows]
    assert labels == ["is calibrated\nloss", "does not leak\nAUC"]
    assert [row.get_title(loc="right") for row in rows] == ["NOT met: at most 0.1", "met: above 0.5"]
    assert tabulate_checks(checks)["result"].tolist() == ["not met", "met", "not judged"]
    # A rule that all checks of the prior share is drawn once.
    assert len(plot_gate([leave_unjudged(name, "prior", [bad], passed=False) for name in "abc"]).axes) == 1
