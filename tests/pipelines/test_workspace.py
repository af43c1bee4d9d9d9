"""The home that notebooks open: the one of the command, with what the last run left there, and read only."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.exc import InternalError
from upath import UPath

from models.db.errors import InputError
from models.db.settings import get_settings
from models.ml.scoring.candidates import score_both_ways
from pipelines.definitions import build_registry
from pipelines.store.frame_store import convert_to_table, write_table
from pipelines.workspace import Workspace, open_workspace
from tests.pipelines.conftest import Place


@pytest.fixture(scope="module")
def home(settled: Place) -> Workspace:
    return Workspace(settled.settings)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment, from which settings are read again."""
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


def test_it_is_the_home_of_the_settings(settled: Place, environment: pytest.MonkeyPatch) -> None:
    for name in ("MATCHING_HOME", "DATABASE_URL"):
        environment.setenv(name, settled.environment[name])
    assert open_workspace().settings == settled.settings


def test_unset_it_is_the_nearest_one_around(settled: Place, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".data").symlink_to(settled.home)
    (tmp_path / "notebooks").mkdir()
    environment.delenv("MATCHING_HOME")
    environment.chdir(tmp_path / "notebooks")
    assert open_workspace().settings.home == tmp_path / ".data"


def test_after_a_blocked_run_its_frames_can_be_read(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("MATCHING_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"match_lists\.parquet"):
        _ = open_workspace().lists
    assert list(tmp_path.iterdir()) == []
    refused = pd.DataFrame({"profile_id": ["ann"], "reason": ["gender is missing"]})
    write_table(convert_to_table(refused), UPath(tmp_path / "store" / "rejected_profiles.parquet"))
    assert open_workspace().read_frame("rejected_profiles").to_dict("records") == refused.to_dict("records")


def test_the_ranker_gives_the_probabilities_that_were_scored(home: Workspace) -> None:
    version = build_registry(home.settings).find_champion_version()
    assert version == home.read_frame("scored_candidates")["ranker_version"][0]
    some = np.arange(0, len(home.scored.viewer), 97)
    viewer, candidate = home.scored.viewer[some], home.scored.candidate[some]
    again = score_both_ways(home.context, viewer, candidate)
    assert again.p_like.tolist() == pytest.approx(home.scored.p_like[some].tolist(), rel=1e-5)
    assert again.p_liked_back.tolist() == pytest.approx(home.scored.p_liked_back[some].tolist(), rel=1e-5)
    assert len(home.market.pair) == len(home.scored.viewer)


def test_users_have_the_index_of_their_profile(home: Workspace) -> None:
    pairs = home.build_pairs(np.array([3, 4]), np.array([5, 5]))
    assert pairs.people.ids[pairs.viewer].tolist() == home.profiles["profile_id"][[3, 4]].tolist()
    for name in ("profile_id", "source_key"):
        assert home.find_position(home.profiles[name][11]) == 11
    with pytest.raises(InputError, match="'nobody'"):
        home.find_position("nobody")
    assert home.truth is not None
    liked = home.training_pairs["liked"].to_numpy()
    assert home.truth[liked].mean() > home.truth[~liked].mean() + 0.05
    assert home.evaluation is None


def test_a_query_reads_by_name_and_changes_nothing(home: Workspace, settled: Place) -> None:
    found = home.query("SELECT source_key, paused FROM app.profiles WHERE gender = :gender", gender="woman")
    assert list(found) == ["source_key", "paused"]
    women = settled.ask("SELECT source_key FROM app.profiles WHERE gender = 'woman'")
    assert set(found["source_key"]) == {key for (key,) in women}
    with pytest.raises(InternalError, match="read-only transaction"):
        home.query("DELETE FROM app.profiles RETURNING id")
