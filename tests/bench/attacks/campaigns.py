"""What fake accounts do to be seen, or to make others unseen: each campaign adds them to a population."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from tests.bench.scale.town import Frames, frames

Ids = NDArray[np.object_]
# A fake without limits seeks everybody, so that as many viewers as possible are eligible.
NO_LIMITS = {"age_min": np.nan, "age_max": np.nan, "max_distance_km": np.nan}
WANDERED = 25  # users decided on at random


@dataclass(frozen=True)
class Campaign:
    """What the fakes do."""

    profiles: str = "random"
    """Whose profiles they copy: random users', those of "popular" ones, or those of "settled" ones with the decisions
    that they gave and received, as sleepers do."""
    limits: bool = False
    """Whether they keep the limits of those profiles."""
    likes: str = ""
    """Whom they like: "each other", the "younger" fakes, "everybody"."""
    wanders: float = 0.0
    """The share of likes among decisions on random users."""
    passes: bool = False
    """Whether they pass on the victims."""
    days: float = 1.0
    """Over how long."""


CAMPAIGNS = {
    "clique": Campaign(likes="each other", passes=True),
    "chain": Campaign(likes="younger", days=30),
    "bombing": Campaign(limits=True, passes=True),
    "hidden_bombing": Campaign(limits=True, wanders=0.3, passes=True, days=30),
    "farming": Campaign(likes="everybody", days=30),
    "copies": Campaign("popular", wanders=0.9, days=30),
    "sleepers": Campaign("settled", limits=True, likes="each other", passes=True),
    "patient_sleepers": Campaign("settled", limits=True, likes="each other", passes=True, days=60),
    "sleeping_bombers": Campaign("settled", limits=True, passes=True),
}


def simulate_population(people: int, seed: int) -> Frames:
    """Without texts, so that nothing is encoded."""
    made = frames(people, seed, texts=False)
    profiles = made.profiles.sort_values("profile_id", ignore_index=True)
    return replace(made, profiles=profiles, interactions=_join([made.interactions]))


def attack(population: Frames, campaign: Campaign, count: int, victims: Ids, rng: Generator) -> tuple[Frames, Ids]:
    """The population with so many fakes in it, and their ids."""
    users, interactions = population.profiles["profile_id"].to_numpy(object), population.interactions
    if campaign.profiles == "popular":
        likes = interactions[interactions["kind"] == "like"]
        popular = likes["target_id"].value_counts().index.to_numpy(object)
        sources = np.resize(popular[: max(1, count // 2)], count)
    else:
        among = interactions["actor_id"].unique().astype(object) if campaign.profiles == "settled" else users
        sources = rng.choice(among, count, replace=False)
    fakes = np.array([f"fake-{number:04d}" for number in range(count)], object)
    profiles = pd.concat([population.profiles, _copy_profiles(population.profiles, sources, fakes, campaign.limits)])
    added = [interactions]
    if campaign.profiles == "settled":
        added += _copy_decisions(interactions, sources, fakes)

    def decide(actors: Ids, targets: Ids, likes: bool | np.ndarray) -> None:
        added.append(_spread(actors, targets, likes, interactions["created_at"].max(), campaign.days, rng))

    if campaign.likes == "younger":
        fake, younger = np.triu_indices(count, 1)
        decide(fakes[fake], fakes[younger], True)
    elif campaign.likes:
        liked = users if campaign.likes == "everybody" else fakes
        decide(np.repeat(fakes, len(liked)), np.tile(liked, count), True)
    if campaign.wanders:
        met = np.concatenate([rng.choice(users, WANDERED, replace=False) for _ in fakes])
        decide(np.repeat(fakes, WANDERED), met, rng.random(len(met)) < campaign.wanders)
    if campaign.passes:
        decide(np.repeat(fakes, len(victims)), np.tile(victims, count), False)
    attacked = replace(population, profiles=profiles.sort_values("profile_id", ignore_index=True))
    return replace(attacked, interactions=_join(added)), fakes


def _copy_profiles(profiles: pd.DataFrame, sources: Ids, fakes: Ids, limits: bool) -> pd.DataFrame:
    copied = profiles.set_index("profile_id").loc[sources.tolist()].reset_index()
    copied = copied.assign(profile_id=fakes, source_key=None)
    if limits:
        return copied
    seeks = [sorted({*seeks, "man", "woman"}) for seeks in copied["seeks"]]
    return copied.assign(seeks=seeks, **NO_LIMITS)


def _copy_decisions(interactions: pd.DataFrame, sources: Ids, fakes: Ids) -> list[pd.DataFrame]:
    """Each fake has the decisions, given and received, of its source."""
    return [
        interactions[interactions[end] == source].assign(**{end: fake})
        for source, fake in zip(sources, fakes, strict=True)
        for end in ("actor_id", "target_id")
    ]


def _spread(
    actors: Ids, targets: Ids, likes: bool | np.ndarray, last: pd.Timestamp, days: float, rng: Generator
) -> pd.DataFrame:
    """Decisions at random times of the last `days`; one about oneself is left out."""
    made = pd.DataFrame({"actor_id": actors, "target_id": targets, "kind": np.where(likes, "like", "pass")})
    made = made[made["actor_id"] != made["target_id"]]
    return made.assign(created_at=[last - timedelta(days=days * share) for share in rng.random(len(made))])


def _join(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All decisions with ids of their own, in the order of time."""
    every = pd.concat(parts, ignore_index=True)
    every["created_at"] = every["created_at"].astype("datetime64[us, UTC]")
    every["interaction_id"] = [f"{row:08d}" for row in range(len(every))]
    return every.sort_values(["created_at", "interaction_id"], ignore_index=True)
