"""What the app knows: profiles and interactions, checked; what breaks the contract goes aside with the reason."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pandas as pd

from models.db.errors import EmptyTown
from models.ml.frames import check_interactions, check_profiles
from pipelines.checks import few_are_rejected
from pipelines.extract import read_interactions, read_profiles
from pipelines.resources import Database

GROUP = "source"
FEW = {
    asset: dg.AssetCheckSpec(
        "few_are_rejected",
        asset=asset,
        blocking=True,
        description="Few rows break the contract: a warning above 5 %; above 50 % nothing is published.",
    )
    for asset in ("profiles", "interactions")
}


@dg.multi_asset(
    group_name=GROUP,
    outs={
        "profiles": dg.AssetOut(description="Profiles that keep the contract, in order of id."),
        "rejected_profiles": dg.AssetOut(description="Profiles that break it: profile_id, reason."),
    },
    check_specs=[FEW["profiles"]],
)
def profiles(database: Database) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Extract the profiles of the app and check each against the frame contract."""
    with database.engine() as engine, engine.connect() as connection:
        frame = read_profiles(connection)
    accepted, rejected = check_profiles(frame)
    if len(accepted) < 2:
        raise EmptyTown(
            f"{len(accepted)} usable of {len(frame)} profiles in app.profiles, and matching takes two: "
            "load some with `matching load`, and see rejected profiles for the reasons of refusals"
        )
    yield _output("profiles", accepted)
    yield _output("rejected_profiles", rejected)
    yield few_are_rejected("profiles", len(accepted), len(rejected))


@dg.multi_asset(
    group_name=GROUP,
    ins={"profiles": dg.AssetIn()},
    outs={
        "interactions": dg.AssetOut(description="Likes and passes that keep the contract, in order of time."),
        "rejected_interactions": dg.AssetOut(description="Interactions that break it: interaction_id, reason."),
    },
    check_specs=[FEW["interactions"]],
)
def interactions(database: Database, profiles: pd.DataFrame) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Extract the likes and passes of the app and check each, also for people that were rejected."""
    with database.engine() as engine, engine.connect() as connection:
        frame = read_interactions(connection)
    accepted, rejected = check_interactions(frame, frozenset(profiles["profile_id"]))
    yield _output("interactions", accepted)
    yield _output("rejected_interactions", rejected)
    yield few_are_rejected("interactions", len(accepted), len(rejected))


def _output(name: str, frame: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    metadata: dict[str, dg.MetadataValue] = {"dagster/row_count": dg.MetadataValue.int(len(frame))}
    if "reason" in frame:
        metadata["reasons"] = dg.MetadataValue.json(dict(Counter(frame["reason"])))
    return dg.Output(frame, name, metadata=metadata)
