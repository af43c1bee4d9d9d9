"""Who is in which shard, which shards are still to be done, and what is left behind."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from upath import UPath

from models.ml.profiles.answer_encoding import extract_answers
from models.ml.profiles.encoders.opening import MINILM, open_encoder
from pipelines.store.answer_shards import encode_shard, load_answers, plan_encoding
from pipelines.store.shards import SHARDS, assign_shards, build_manifest, find_missing, find_outdated, remove_files


@dataclass(frozen=True)
class File:
    output: str


def test_users_stay_in_their_shard_of_like_size() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(16_000)]
    shards = assign_shards(ids)
    # Known: another shard tomorrow would encode and score all users again.
    assert shards[:8].tolist() == [13, 3, 0, 6, 9, 3, 5, 0]
    assert assign_shards(ids[5:6]).tolist() == shards[5:6].tolist()
    sizes = np.bincount(shards, minlength=SHARDS)
    assert all((sizes > 875) & (sizes < 1125))  # four standard deviations about 1,000


def test_missing_and_outdated_files(tmp_path: Path) -> None:
    folder, files = UPath(tmp_path), [File(str(tmp_path / f"{number:02d}-abc.parquet")) for number in range(3)]
    assert find_outdated(folder / "none yet", files) == []
    for name in ("00-abc.parquet", "01-old.parquet", "02-abc.parquet", "02-abc.parquet.1.part"):
        (tmp_path / name).touch()
    assert find_missing(files) == [files[1]]
    outdated = find_outdated(folder, files)
    assert [path.name for path in outdated] == ["01-old.parquet"]
    for _ in range(2):
        remove_files(outdated)
    assert len([*tmp_path.iterdir()]) == 3


@pytest.fixture
def profiles() -> pd.DataFrame:
    ids = [str(uuid.UUID(int=number)) for number in range(40)]
    texts = [{"About me": f"I own {number} boats", "Work": "Carpenter"} for number in range(40)]
    texts[3] = {"About me": "   ", "Work": ""}
    return pd.DataFrame({"profile_id": ids, "texts": texts})


def encode(profiles: pd.DataFrame, folder: UPath, count: int = SHARDS) -> int:
    mine = plan_encoding(profiles, folder, MINILM, count)
    earlier = find_outdated(folder, mine)
    new = sum(map(encode_shard, find_missing(mine)))
    remove_files(earlier)
    return new


def load_vectors(profiles: pd.DataFrame, folder: UPath) -> dict[tuple[str, str], list[float]]:
    """The vector of each answer, by profile and prompt."""
    answers = load_answers(build_manifest(plan_encoding(profiles, folder, MINILM)))
    keys = zip(answers.keys["profile_id"], answers.keys["prompt"], strict=True)
    return dict(zip(keys, answers.vectors.tolist(), strict=True))


def test_only_texts_that_are_new_in_their_shard_are_encoded(profiles: pd.DataFrame, tmp_path: Path) -> None:
    folder, answers = UPath(tmp_path), extract_answers(profiles, open_encoder(MINILM))
    assert len(answers) == 78
    assert profiles["profile_id"][3] not in set(answers["profile_id"])  # blank answers are none
    occupied = len(set(assign_shards(answers["profile_id"])))
    assert encode(profiles, folder) == 39 + occupied  # "Carpenter" once a shard
    assert encode(profiles, folder) == 0
    before = load_vectors(profiles, folder)
    profiles["texts"] = profiles["texts"].map(dict)
    profiles["texts"][7]["About me"] = "I own a submarine"
    profiles["texts"][9]["Hobby"] = profiles["texts"][9].pop("About me")
    assert encode(profiles, folder) == 1  # the same words under another prompt are the same words
    after = load_vectors(profiles, folder)
    person, mover = profiles["profile_id"][7], profiles["profile_id"][9]
    changed = {key for key in before if before[key] != after.get(key)}
    assert changed == {(person, "About me"), (mover, "About me")}
    assert after[mover, "Hobby"] == before[mover, "About me"]


def test_with_another_number_of_shards_nothing_is_encoded_again(profiles: pd.DataFrame, tmp_path: Path) -> None:
    folder = UPath(tmp_path)
    assert encode(profiles, folder) > 39
    for number in (128, 32, SHARDS):
        assert encode(profiles, folder, number) == 0
        assert len(list(folder.glob("*.parquet"))) == number
    assert len(load_vectors(profiles, folder)) == 78
