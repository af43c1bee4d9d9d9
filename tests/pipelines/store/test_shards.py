"""Who is in which shard, which shards are still to be done, and what is left behind."""

import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from pipelines.store import answer_shards, shards
from pipelines.store.answer_shards import encode_shard, extract_answers, load_answers, plan_encoding
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.shards import SHARDS, assign_shards, build_manifest, find_missing, find_outdated, remove_files


@dataclass(frozen=True)
class File:
    output: str


def test_a_person_stays_in_their_shard_and_shards_are_of_a_size() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(16_000)]
    shards = assign_shards(ids)
    # Written down once: another shard tomorrow would encode and score everybody again.
    assert shards[:8].tolist() == [13, 3, 0, 6, 9, 3, 5, 0]
    assert assign_shards(ids[5:6]).tolist() == shards[5:6].tolist()
    sizes = Counter(shards.tolist())
    assert set(sizes) == set(range(SHARDS))
    assert all(875 < size < 1125 for size in sizes.values())  # four standard deviations about 1,000


def test_only_files_that_are_not_there_are_missing_and_only_earlier_ones_are_removed(tmp_path: Path) -> None:
    folder, files = UPath(tmp_path), [File(str(tmp_path / f"{number:02d}-abc.parquet")) for number in range(3)]
    assert find_outdated(folder / "none yet", files) == []
    for name in ("00-abc.parquet", "01-old.parquet", "02-abc.parquet", "02-abc.parquet.1.part"):
        (tmp_path / name).write_text("")
    assert find_missing(files) == [files[1]]
    earlier = find_outdated(folder, files)
    (tmp_path / "01-joined-meanwhile.parquet").write_text("")
    remove_files(earlier)
    remove_files(earlier)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("00-abc.parquet", "01-joined-meanwhile.parquet", "02-abc.parquet", "02-abc.parquet.1.part"),
    ]
    assert build_manifest(files) == ShardManifest(tuple(file.output for file in files))


@pytest.fixture
def profiles() -> pd.DataFrame:
    ids = [str(uuid.UUID(int=number)) for number in range(40)]
    texts = [{"About me": f"I own {number} boats", "Work": "Carpenter"} for number in range(40)]
    texts[3] = {"About me": "   ", "Work": ""}
    return pd.DataFrame({"profile_id": ids, "texts": texts})


def encoded(profiles: pd.DataFrame, folder: UPath) -> int:
    mine = plan_encoding(profiles, folder)
    earlier = find_outdated(folder, mine)
    new = sum(map(encode_shard, find_missing(mine)))
    remove_files(earlier)
    return new


def test_blank_answers_are_none(profiles: pd.DataFrame) -> None:
    answers = extract_answers(profiles)
    assert len(answers) == 78
    assert profiles["profile_id"][3] not in set(answers["profile_id"])


def test_only_words_that_are_new_in_their_shard_are_encoded(profiles: pd.DataFrame, tmp_path: Path) -> None:
    folder = UPath(tmp_path)
    occupied = len(set(assign_shards(extract_answers(profiles)["profile_id"])))
    assert encoded(profiles, folder) == 39 + occupied  # "Carpenter" once a shard
    assert encoded(profiles, folder) == 0
    before = load_answers(build_manifest(plan_encoding(profiles, folder)))
    profiles["texts"] = profiles["texts"].map(dict)
    profiles["texts"][7]["About me"] = "I own a submarine"
    profiles["texts"][9]["Hobby"] = profiles["texts"][9].pop("About me")
    assert encoded(profiles, folder) == 1  # the same words under another prompt are the same words
    after = load_answers(build_manifest(plan_encoding(profiles, folder)))
    both = [
        dict(zip(zip(each.keys["profile_id"], each.keys["prompt"], strict=True), each.vectors.tolist(), strict=True))
        for each in (before, after)
    ]
    changed = {key for key in both[0] if both[0][key] != both[1].get(key)}
    person, mover = profiles["profile_id"][7], profiles["profile_id"][9]
    assert changed == {(person, "About me"), (mover, "About me")}
    assert both[1][mover, "Hobby"] == both[0][mover, "About me"]


def test_with_more_shards_or_fewer_nobody_is_encoded_again(
    profiles: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = UPath(tmp_path)
    assert encoded(profiles, folder) > 39
    for number in (128, 32, SHARDS):
        for module in (shards, answer_shards):
            monkeypatch.setattr(module, "SHARDS", number)
        assert encoded(profiles, folder) == 0
        assert len(list(folder.glob("*.parquet"))) == number
    assert len(load_answers(build_manifest(plan_encoding(profiles, folder))).keys) == 78
