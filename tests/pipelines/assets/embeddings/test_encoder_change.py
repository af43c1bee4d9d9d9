"""A town changes its encoder by a setting: a new ranker, vectors of both, a rollback, and who joins meanwhile."""

import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from models.db.errors import IncompatibleModelError, NoChampion
from models.db.publications import get_live_publication, roll_back
from models.db.settings import Settings
from models.ml.profiles.encoders.nano_e5 import NANO_E5
from models.ml.profiles.encoders.opening import MINILM, EncoderChoice, name_encoder
from models.ml.profiles.profile_matrix import build_profile_matrix
from pipelines.assets.ranker.retraining import decide_training
from pipelines.definitions import build_registry
from pipelines.loaders.simulation.simulated_loader import load_simulated
from pipelines.resources import choose_encoder
from pipelines.workspace import Workspace
from tests.pipelines.assets.embeddings.test_incremental_embeddings import embed, join
from tests.pipelines.conftest import Databases, Place
from tests.support.encoders import save_untrained_encoder
from tests.support.places import copied


class ChangedPlace(Place):
    """An installation whose encoder is a model of 64 dimensions, in a folder beside its home."""

    @property
    def folder(self) -> Path:
        return self.home.with_name("e5-small-untrained")

    @property
    def settings(self) -> Settings:
        return super().settings.model_copy(update={"encoder": str(self.folder)})


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[ChangedPlace]:
    """A copy of the settled town, with the setting of another encoder."""
    with copied(settled, databases, tmp_path / "home") as place:
        changed = ChangedPlace(place.home, place.database_url)
        save_untrained_encoder(changed.folder)
        yield changed


def encoders(place: Place, person: object) -> set[str]:
    return {row[0] for row in place.ask("SELECT encoder FROM matching.embeddings WHERE profile_id = %(id)s", id=person)}


def live_encoder(place: Place) -> str:
    with place.engine.connect() as connection:
        live = get_live_publication(connection)
    assert live is not None
    return live.encoder


def test_a_town_changes_its_encoder_and_returns(town: ChangedPlace) -> None:
    other = name_encoder(choose_encoder(town.settings))
    before = Place(town.home, town.database_url)
    with pytest.raises(NoChampion, match=f"{MINILM.setting}, and the setting is {re.escape(other)}"):
        build_registry(town.settings).get_champion()
    with town.engine.connect() as connection:
        assert decide_training(build_registry(town.settings), connection).due
    ranker = build_registry(before.settings).get_champion().rankers.full

    with dg.DagsterInstance.ephemeral() as instance:
        early = join(town)
        assert embed(town, instance)["vectors_stored"] == 1
        assert encoders(town, early) == {MINILM.setting}, "the API still reads the vectors of the live publication"

        town.run()
        assert (live_encoder(town), encoders(town, early)) == (other, {MINILM.setting, other})
        assert build_registry(town.settings).get_champion().rankers.full.specification.encoder == other
        workspace = Workspace(town.settings)
        assert workspace.answers.encoder == other
        with pytest.raises(IncompatibleModelError, match=re.escape(other)):
            build_profile_matrix(ranker.specification, workspace.profiles, workspace.answers)
        with pytest.raises(NoChampion):
            build_registry(before.settings).get_champion()

        late = join(town)
        assert embed(town, instance)["vectors_stored"] == 1
        assert encoders(town, late) == {other}
        assert roll_back(town.engine).encoder == MINILM.setting
        assert embed(town, instance)["vectors_stored"] == 1
        assert encoders(town, late) == {MINILM.setting, other}


def test_the_settings_say_which_and_how() -> None:
    asked = Settings(encoder=NANO_E5, encoder_device="cpu", encoder_precision="bfloat16")
    assert choose_encoder(asked) == EncoderChoice(NANO_E5, "cpu", "bfloat16")
    assert choose_encoder(Settings()).setting == MINILM.setting


def test_encoders_are_compared_before_a_change(place: Place) -> None:
    load_simulated(place.engine, 30, 1, place.home)
    done = place.command("encoders", NANO_E5)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [next(line for line in lines if line.strip().startswith(name)) for name in (MINILM.setting, NANO_E5)]
    assert "of ten nearest people" in done.stdout
    refused = place.command("encoders", "no/such-model", HF_HUB_OFFLINE="1")
    assert (refused.returncode, "no/such-model" in refused.stderr) == (2, True)
