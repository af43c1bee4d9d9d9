"""The insights in the real job: from frames in the store to the table that analysts read, with pictures."""

from collections.abc import Iterator

import pandas as pd
import pytest
from upath import UPath

from models.ml.conversations.insights.cells import CELL_TYPES
from models.ml.conversations.insights.town_insights import LABELS
from pipelines.assets.conversations.fact_shards import write_facts
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import INSIGHTS_JOB
from pipelines.store.frame_store import write_table
from tests.models_ml.conversations.insights.simulated_frames import make_frames, simulate
from tests.pipelines.conftest import PEOPLE, Databases, Place
from tests.support.places import copied, get_frame_path, read_frame, write_frame

STORED = "SELECT month::timestamp, measure, cell, value, low, high, people FROM matching.town_insights"


@pytest.fixture(scope="module")
def after(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A town in which those who like each other have conversations, and many others, as simulated."""
    with copied(settled, databases, tmp_path_factory.mktemp("after") / "home") as place:
        yield place


def write_conversations(place: Place, count: int) -> None:
    """Write the frames of the first so many simulated conversations, the first ones between people who both liked."""
    profiles = read_frame(place, "profiles")
    facts, outcomes, _ = make_frames(simulate(PEOPLE, 900, 5), profiles["extracted_at"].max())
    names = {f"p{number:05d}": name for number, name in enumerate(sorted(profiles["profile_id"]))}
    for frame in (facts, outcomes):
        for side in ("person_a", "person_b"):
            frame[side] = frame[side].map(names)
    likes = read_frame(place, "training_pairs").query("liked")
    both = likes.merge(likes, left_on=["viewer_id", "candidate_id"], right_on=["candidate_id", "viewer_id"])
    both = both[both["viewer_id_x"] < both["candidate_id_x"]]
    assert len(both) >= 5
    for frame in (facts, outcomes):
        frame.loc[: len(both) - 1, ["person_a", "person_b"]] = both[["viewer_id_x", "candidate_id_x"]].to_numpy()
    facts = facts.assign(publication_id=1.0).drop_duplicates(["person_a", "person_b"]).head(count)
    folder = UPath(place.home / "store/shards/conversation_facts")
    write_table(write_facts(facts, folder).to_table(), get_frame_path(place, "conversation_facts"))
    write_frame(place, "conversation_outcomes", outcomes[outcomes["conversation_id"].isin(facts["conversation_id"])])


def read_stored(place: Place) -> pd.DataFrame:
    return pd.DataFrame(place.ask(STORED), columns=list(CELL_TYPES)).astype(dict(CELL_TYPES))


def test_the_table_is_what_the_job_found_and_is_replaced(after: Place) -> None:
    write_conversations(after, 900)
    run_job(after.settings, INSIGHTS_JOB)
    cells, metadata = read_frame(after, "conversation_insights"), after.metadata("conversation_insights")
    keys = ["measure", "cell", "month"]
    stored = read_stored(after).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(stored, cells.astype(dict(CELL_TYPES)).sort_values(keys, ignore_index=True))
    assert {"opened", "answered_within", "goes_on", "left_by_other", *LABELS} <= set(cells["measure"])
    version = after.ask("SELECT ranker_version FROM matching.publications WHERE id = 1")[0][0]
    assert f"ranker {version}" in set(cells["cell"])
    assert cells["people"].min() >= 20
    assert int(str(metadata["with_p_match"])) >= 5
    assert str(metadata["conclusions"]).count("\n- ") >= 4
    for name in ("funnel", "months", "first_answer", "going_on", "deciles"):
        assert str(metadata[f"{name}_picture"]).startswith("![picture](data:image/png;base64,")
    ids = read_frame(after, "profiles")["profile_id"]
    assert not any(each in str(value) for each in ids for value in metadata.values())

    write_conversations(after, 8)
    run_job(after.settings, INSIGHTS_JOB)
    assert len(read_stored(after)) == 0, "few people make no cell, and the old ones are gone"
