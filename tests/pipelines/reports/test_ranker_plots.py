"""The metadata of the ranker and the embeddings, in Dagster and with the MLflow run."""

import base64

import mlflow
import numpy as np
import pandas as pd
import pytest

from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.validation.gate import GateCheck
from pipelines.definitions import build_registry
from pipelines.reports.embedding_map import (
    GROUPS,
    find_clusters,
    name_distinctive_interests,
    plot_embedding_map,
    project_to_plane,
)
from pipelines.reports.ranker_plots import plot_calibration, plot_lift
from pipelines.reports.ranker_report import explain_checks, write_note
from pipelines.store.model_registry import FOR_TRAINING, MLFLOW, NOTE_TAG, REFERENCE
from tests.pipelines.conftest import Place

PNG = b"\x89PNG"
PICTURES = {"calibration", "lift_by_decile", "contributions"}


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
    rng = np.random.default_rng(0)
    planted = np.repeat(np.arange(GROUPS), 20)
    vectors = np.eye(GROUPS, 384)[planted] + rng.normal(0, 0.01, (len(planted), 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    group, _ = find_clusters(vectors)
    assert len(set(zip(planted.tolist(), group.tolist(), strict=True))) == GROUPS
    had = [["chess", f"only {number}"] for number in planted]
    named = [name_distinctive_interests(pd.Series(had), group == group[20 * number]) for number in range(GROUPS)]
    assert named == [f"only {number} ({GROUPS:.1f})" for number in range(GROUPS)]
    assert name_distinctive_interests(pd.Series([["chess"]] * 20), np.arange(20) < 5) == "none"
    ids = [f"{number:03}" for number in range(len(planted))]
    profiles = pd.DataFrame({"profile_id": ids, "interests": had})
    answers = AnswerEmbeddings(
        pd.DataFrame({"profile_id": ids, "prompt": "", "text_hash": ""}), vectors.astype(np.float16)
    )
    labels = [text.get_text() for text in plot_embedding_map(profiles, answers).legends[0].get_texts()]
    assert sorted(labels) == [f"20 people: only {number} ({GROUPS:.1f})" for number in range(GROUPS)]


def test_calibration_and_lift_draw_their_tables() -> None:
    chance = np.repeat([0.2, 0.8], 50)
    liked = np.tile(np.arange(10), 10) < 10 * chance
    questions = pd.DataFrame({"ranker": chance, "liked": liked})
    drawn = plot_calibration(questions).axes[0].lines[1].get_xydata()
    assert np.asarray(drawn) == pytest.approx(np.array([[20, 20]] * 5 + [[80, 80]] * 5))
    bars = [patch.get_height() for patch in plot_lift(questions).axes[0].patches]  # type: ignore[attr-defined]
    assert bars == pytest.approx([1.6] * 5 + [0.4] * 5)


def is_picture(shown: object) -> bool:
    return base64.b64decode(str(shown).partition("base64,")[2].rstrip(")")).startswith(PNG)


def test_the_ranker_shows_the_same_in_dagster_and_in_mlflow(settled: Place) -> None:
    shown = settled.metadata("ranker")
    registry = build_registry(settled.settings)
    champion = str(registry.find_champion_version())
    client = mlflow.MlflowClient(registry.tracking_uri)
    run = client.get_run(str(client.get_model_version("ranker", champion).run_id))
    kept = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert kept >= {f"{name}.png" for name in PICTURES} | {"evaluation.json", REFERENCE}
    assert all(is_picture(shown[name]) for name in PICTURES)
    assert "| ranker " in str(shown["evaluation"])
    heads = {each.strip() for each in str(shown["evaluation_by_decisions_known"]).splitlines()[0].split("|")}
    assert {"0", "half of all"} <= heads
    known = client.load_table(run.info.experiment_id, "evaluation.json", [run.info.run_id])["known"]
    assert {"half of all", "any", "0"} <= set(known)
    page = f"{MLFLOW}/#/experiments/{run.info.experiment_id}/runs"
    assert shown["mlflow"] == f"{page}/{run.info.run_id}{FOR_TRAINING}"
    assert registry.get_page() == f"{page}{FOR_TRAINING}"
    assert f"/runs/{run.data.tags['dagster_run_id']})" in run.data.tags[NOTE_TAG]
    assert is_picture(settled.metadata("profile_embeddings")["map"])


def test_the_note_of_a_refused_version_begins_with_the_reason() -> None:
    why = explain_checks([GateCheck("does_not_leak", True, "no"), GateCheck("is_calibrated", False, "too far off")])
    first, *_, failed, passed = write_note("4", False, "2", "9 profiles", why, "abcdefgh-1").splitlines()
    assert first.startswith("**Version 4 was refused.**")
    assert "version 2" in first
    assert (failed, passed) == ("- is calibrated: failed: too far off", "- does not leak: passed: no")
