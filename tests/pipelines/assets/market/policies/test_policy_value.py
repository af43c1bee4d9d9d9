"""The command that judges policies, in a population whose lists were opened, and before."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from models.ml.validation.gate_rules import GateCheck
from pipelines.assets.ranker.order_evidence import check_order_evidence
from pipelines.definitions import build_registry
from pipelines.resources import DatabaseResource
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import read_table
from pipelines.store.shard_manifest import ShardManifest
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, get_frame_path, read_frame

DEPTH = 50
# Everybody examines their first cards, and likes every third one.
OPEN = f"""
INSERT INTO app.interactions (actor_id, target_id, kind, publication_id, position, surface)
SELECT viewer_id, candidate_id, CASE WHEN position % 3 = 0 THEN 'like' ELSE 'pass' END, publication_id, position, 'list'
FROM matching.match_lists JOIN matching.publications ON id = publication_id
CROSS JOIN LATERAL unnest(candidate_ids) WITH ORDINALITY AS card (candidate_id, position)
WHERE state = 'live' AND position <= {DEPTH}
"""
LIKES = "SELECT count(*) FROM app.interactions WHERE publication_id IS NOT NULL AND kind = 'like'"


@pytest.fixture(scope="module")
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("judged") / "home") as place:
        yield place


def check_champion(town: Place) -> GateCheck:
    """Check the champion's own order by the logs, as the gate would."""
    settings, manifest = town.settings, read_table(get_frame_path(town, "profile_embeddings"))
    answers = load_answers(ShardManifest.from_table(manifest))
    database = DatabaseResource(home=str(town.home), url=town.database_url)
    frames = read_frame(town, "profiles"), answers, read_frame(town, "training_pairs")
    return check_order_evidence(database, build_registry(settings).get_champion().rankers, *frames)


def test_before_a_list_was_opened_the_command_says_so(town: Place) -> None:
    evidence = check_champion(town)
    assert (evidence.judged, evidence.passed) == (False, False)
    done = town.command("policy-value", "best_response")
    assert done.returncode == 0, done.stderr
    assert "0 examined cards" in done.stdout
    assert read_frame(town, "policy_value")["value"].isna().all()


def test_policies_are_judged_by_what_users_did(town: Place, tmp_path: Path) -> None:
    town.tell(OPEN)
    ((likes,),) = town.ask(LIKES)
    done = town.command("policy-value", "best_response", "product", "--out", tmp_path / "values.csv")
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(tmp_path / "values.csv")
    frame = read_frame(town, "policy_value")
    assert written["policy"].tolist() == frame["policy"].tolist()
    decided = frame[(frame["outcome"] == "likes") & (frame["method"] == "dr")].set_index("policy")
    figures = town.metadata("policy_value")
    assert figures["cards_liked"] == likes
    # The lists of the logs are those of best response: each examined card counts as one. Of a few users it is refused.
    assert decided.loc["best_response", "effective_size"] == pytest.approx(figures["cards_examined"], rel=0.05)
    assert decided["unsupported"].min() < 0.05
    assert decided["value"].isna().all()
    assert "2,500 are needed" in done.stdout
    evidence = check_champion(town)
    assert evidence.judged
    assert abs(evidence.figures["likes_gain"]) < 0.2


def test_an_unknown_policy_is_one_line(town: Place) -> None:
    refused = town.command("policy-value", "best")
    assert refused.returncode == 2
    assert "unknown policy 'best': use random, naive" in refused.stderr
