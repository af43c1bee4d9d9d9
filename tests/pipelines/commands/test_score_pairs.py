"""Pairs that a user asks about: the file, the people in it, the file that is written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.db.errors import InputError
from models.ml.ranker.ranker_model import Ranker
from pipelines.commands.csv_output import write_csv
from pipelines.commands.score_pairs import read_pairs, score_pairs
from pipelines.definitions import build_registry
from tests.pipelines.conftest import Databases, Place


@pytest.fixture(scope="module")
def ranker(settled: Place) -> Ranker:
    return build_registry(settled.settings).get_champion().rankers.full


def pairs(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["viewer", "candidate"], dtype=str)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "CSV"),
        (b"viewer;candidate\na;b\n", "column viewer and no column candidate"),
        (b"viewer,candidate\n\xff\xfe,b\n", "CSV"),
        (b"viewer,candidate\na,b\na,b,c\n", "CSV"),
    ],
)
def test_a_file_that_is_not_one_of_pairs_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"pairs\.csv .*{said}"):
        read_pairs(file)


def test_people_are_text_even_if_they_look_like_numbers(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("note,candidate,viewer\nx,007,NA\ny,1e5,None\n")
    assert read_pairs(file).to_dict("list") == {"viewer": ["NA", "None"], "candidate": ["007", "1e5"]}


def test_pairs_by_id_and_by_key_have_the_published_scores(settled: Place, ranker: Ranker) -> None:
    published = settled.ask(
        "SELECT viewer_id::text, source_key, p_like, p_liked_back, p_match FROM matching.matches"
        " JOIN app.profiles ON id = candidate_id ORDER BY viewer_id, rank LIMIT 200"
    )
    asked = pairs(*(row[:2] for row in published))
    with settled.engine.connect() as connection:
        scores = score_pairs(connection, ranker, asked)
    assert scores[["viewer", "candidate"]].equals(asked)
    # A profile's vector is pooled from answers encoded in other batches, so that the last bits may differ.
    expected = np.array([row[2:4] for row in published])
    assert scores[["p_like", "p_liked_back"]].to_numpy() == pytest.approx(expected, abs=0.01)
    # Lists say p_match with a shift of their own.
    assert scores["p_match"].to_numpy() == pytest.approx((scores["p_like"] * scores["p_liked_back"]).to_numpy())


def test_who_cannot_be_scored_is_named_with_the_reason(settled: Place, databases: Databases, ranker: Ranker) -> None:
    with databases(like=settled.database_url) as url:
        place = Place(settled.home, url)
        (good, key), (bad, bad_key) = place.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id LIMIT 2")
        place.tell("UPDATE app.profiles SET birth_date = current_date WHERE id = :bad", bad=bad)
        with place.engine.connect() as connection:
            with pytest.raises(InputError, match=r"1 of the people .*'nobody'"):
                score_pairs(connection, ranker, pairs((key, good), (good, "nobody")))
            for name in (bad, bad_key):
                with pytest.raises(InputError, match=f"'{name}': .*age must be 18 to 110"):
                    score_pairs(connection, ranker, pairs((name, good)))


def test_scores_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    scores = pairs(("a", "b")).assign(p_like=1 / 3, p_liked_back=0.5, p_match=1 / 6)
    out = tmp_path / "out.csv"
    write_csv(scores, out)
    written = "viewer,candidate,p_like,p_liked_back,p_match\na,b,0.333333,0.5,0.166667\n"
    assert out.read_text() == written
    for place in (tmp_path / "nowhere" / "out.csv", tmp_path):
        with pytest.raises(InputError, match=f"^{place} "):
            write_csv(scores, place)
    if Path("/dev/full").exists():  # on Linux
        (tmp_path / ".out.csv.part").symlink_to("/dev/full")
        with pytest.raises(InputError, match=r"out\.csv .*No space left on device"):
            write_csv(scores.assign(p_like=0.5), out)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.csv", written)]
