"""Simulated nights by the command and by the asset: no database, the same figures, bad input in one line."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from upath import UPath

from models.db.settings import Settings
from pipelines.commands.run_pipeline import ensure_dagster_home
from pipelines.definitions import build_definitions
from pipelines.store.frame_store import convert_from_table, read_table
from tests.pipelines.conftest import Place

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"
ARMS = ["best_response", "transferable_utility", "random", "oracle"]
SIZES = {"days": 2, "people": 60, "joiners": 5, "seed": 3}
CHOICE = {"policies": ARMS[:2], "rivals": ARMS[2:], "likes": "told"}
WORDS = [
    *(word for name, value in SIZES.items() for word in (f"--{name}", value)),
    *(word for name in ARMS[:2] for word in ("--policy", name)),
    *(word for name in ARMS[2:] for word in ("--rival", name)),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def materialized(home: Path) -> tuple[pd.DataFrame, dict[str, object]]:
    """What the asset stores, and its metadata."""
    job = build_definitions(Settings(home=home)).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(Settings(home=home)))) as instance:
        done = job.execute_in_process(
            {"ops": {"loop_simulation": {"config": {**SIZES, **CHOICE}}}},
            asset_selection=[dg.AssetKey("loop_simulation")],
            instance=instance,
        )
    (event,) = done.asset_materializations_for_node("loop_simulation")
    frame = convert_from_table(read_table(UPath(home / "store" / "loop_simulation.parquet")))
    return frame, {name: value.value for name, value in event.metadata.items()}


def test_command_and_asset_give_the_same_figures(
    home: Path, materialized: tuple[pd.DataFrame, dict[str, object]]
) -> None:
    out = home / "figures.csv"
    done = Place(home, NO_DATABASE).command("simulate", *WORDS, "--out", out, COLUMNS="80", MATCHING_LIKES="told")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    stored, _ = materialized
    assert list(zip(stored["arm"], stored["day"], strict=True)) == [(arm, day) for arm in ARMS for day in (0, 1)]
    pd.testing.assert_frame_equal(pd.read_csv(out), stored, rtol=1e-5, check_dtype=False)
    last = stored[stored["day"] == 1].set_index("arm")
    for arm, start in zip(ARMS, ("best response", "transferable", "random", "oracle"), strict=True):
        (cells,) = (line.removeprefix(start).split() for line in lines if line.startswith(f"{start} "))
        assert cells[:2] == [f"{last['matches'][arm]:,}", "-" if arm == ARMS[0] else f"{last['gain'][arm]:+.1%}"]


def test_the_asset_shows_figures_and_pictures(materialized: tuple[pd.DataFrame, dict[str, object]]) -> None:
    stored, metadata = materialized
    first = stored[stored["arm"] == ARMS[0]].iloc[-1]
    assert (metadata["matches"], metadata["likes_waiting"]) == (first["matches"], first["likes_waiting"])
    assert metadata["likes"] == "told"
    assert metadata["dagster/row_count"] == len(stored)
    pictures = [f"{metadata[name]}" for name in metadata if name.endswith("_picture")]
    assert len(pictures) == 6
    assert all(picture.startswith("![picture](data:image/png;base64,") for picture in pictures)
    assert [line.split("|")[1].strip() for line in f"{metadata['arms']}".splitlines()[2:6]] == [
        *("best response", "transferable utility", "random", "oracle")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--days", "0"], "0 days cannot be simulated"),
        (["--days", "-1"], "-1 days"),
        (["--people", "0"], "0 people"),
        (["--joiners", "-2"], "-2 joiners"),
        (["--people", "9000", "--joiners", "200"], "11,600 people in all"),
        (["--seed", "-1"], "-1 cannot be a seed"),
        (["--policy", "best"], "no policy 'best'; choose from random, naive"),
        (["--rival", "worst"], "no rival 'worst'; choose from unweighted"),
        (["--policy", "random", "--rival", "random"], "random is named twice"),
        (["--most-telling", "0"], "probability 0.0"),
        (["--most-telling", "nan"], "probability nan"),
        (["--out", "nowhere/figures.csv"], "no folder nowhere"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = Place(tmp_path, NO_DATABASE).command("simulate", *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("matching: ")
    assert said in line
