"""How much fake accounts get: `python -m tests.bench.attacks`, a table of campaigns against one population.

A campaign adds fakes to a simulated population. They want to be seen, or to make others unseen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.random import Generator
from numpy.typing import NDArray

from models.ml.arrays import BoolArray, Int32Array, Int64Array
from models.ml.features.training_pairs import build_training_pairs, extract_decisions
from models.ml.market import AttentionModel, build_market_graph
from models.ml.market.comparison import compute_outcome, make_policy_lists
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.candidates import score_both_ways, select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.training.train import train_ranker
from pipelines.assets.market.market_config import MarketConfig
from tests.bench.figures import Row, markdown
from tests.bench.scale.town import Frames, arrays, frames

Ids = NDArray[np.object_]
# A fake without limits seeks everybody, so that as many viewers as possible are eligible.
NO_LIMITS = {"age_min": np.nan, "age_max": np.nan, "max_distance_km": np.nan}
WANDERED = 25  # users decided on at random
POLICY = "best_response"
DEPTHS = {"places": 50, "first fives": 5, "first places": 1}
# Whom the fakes pass on: users at these indices by the number of lists they are on.
VICTIMS = [0, 5, 20]


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
    profiles = profiles.sort_values("profile_id", ignore_index=True)
    added = [interactions]
    if campaign.profiles == "settled":
        added += _copy_decisions(interactions, sources, fakes)

    def decide(actors: Ids, targets: Ids, likes: bool | BoolArray) -> None:
        added.append(_spread(actors, targets, likes, interactions["created_at"].max(), campaign.days, rng))

    if campaign.likes == "younger":
        fake, younger = np.triu_indices(count, 1)
        decide(fakes[fake], fakes[younger], True)
    elif campaign.likes:
        liked = users if campaign.likes == "everybody" else fakes
        decide(np.repeat(fakes, len(liked)), np.tile(liked, count), True)
    if campaign.wanders:
        everybody = profiles["profile_id"].to_numpy(object)
        met = np.concatenate([rng.choice(everybody, WANDERED, replace=False) for _ in fakes])
        decide(np.repeat(fakes, WANDERED), met, rng.random(len(met)) < campaign.wanders)
    if campaign.passes:
        decide(np.repeat(fakes, len(victims)), np.tile(victims, count), False)
    return replace(population, profiles=profiles, interactions=_join(added)), fakes


def _copy_profiles(profiles: pd.DataFrame, sources: Ids, fakes: Ids, limits: bool) -> pd.DataFrame:
    copied: pd.DataFrame = profiles.iloc[pd.Index(profiles["profile_id"]).get_indexer(pd.Index(sources))]
    copied = copied.assign(profile_id=fakes, source_key=None)
    if limits:
        return copied
    seeks = copied["seeks"].map(lambda seeks: sorted({*seeks, "man", "woman"}))
    return copied.assign(seeks=seeks, **NO_LIMITS)


def _copy_decisions(interactions: pd.DataFrame, sources: Ids, fakes: Ids) -> list[pd.DataFrame]:
    """Each fake has the decisions, given and received, of its source."""
    return [
        interactions[interactions[end] == source].assign(**{end: fake})
        for source, fake in zip(sources, fakes, strict=True)
        for end in ("actor_id", "target_id")
    ]


def _spread(
    actors: Ids, targets: Ids, likes: bool | BoolArray, last: pd.Timestamp, days: float, rng: Generator
) -> pd.DataFrame:
    """Decisions at random times of the last `days`; one about oneself is left out."""
    kinds = np.where(np.broadcast_to(likes, len(actors)), "like", "pass")
    made = pd.DataFrame({"actor_id": actors, "target_id": targets, "kind": kinds})
    made = made[made["actor_id"] != made["target_id"]]
    return made.assign(created_at=[last - timedelta(days=days * share) for share in rng.random(len(made))])


def _join(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All decisions with ids of their own, in the order of time."""
    every = pd.concat(parts, ignore_index=True)
    every["created_at"] = every["created_at"].astype("datetime64[us, UTC]")
    every["interaction_id"] = [f"{row:08d}" for row in range(len(every))]
    return every.sort_values(["created_at", "interaction_id"], ignore_index=True)


@dataclass(frozen=True)
class Night:
    """The lists of a run, by position in `ids`."""

    ids: pd.Index
    ranker: Ranker
    market: MarketGraph
    placed: Int32Array
    """Each scored pair's index in its list, -1 if it is not listed."""

    def count_lists(self, depth: int = 50) -> Int64Array:
        """How many lists show each user among the first `depth`, (people,)."""
        shown = (self.placed >= 0) & (self.placed < depth)
        return np.bincount(self.market.candidate[shown], minlength=len(self.ids))


@dataclass(frozen=True)
class Effect:
    """What fakes got, and what their victims kept."""

    ratios: dict[str, float]
    """The fakes' share of what DEPTHS names, over their share of users."""
    most_listed: int
    """The number of lists that show the most listed fake."""
    kept: list[float]
    """The share of lists that still show each victim."""


def run_night(population: Frames, champion: Ranker | None = None, seed: int = 0) -> Night:
    """Score all users and make the lists, with a champion or a ranker trained on the population."""
    ids = pd.Index(population.profiles["profile_id"])
    if champion is None:
        pairs = build_training_pairs(population.interactions, ids)
        champion = train_ranker(population.profiles, population.answers, pairs, seed).rankers.full
    context = arrays(champion, population)
    chosen = select_candidates(context, build_retrieval_vectors(context), np.arange(len(ids)))
    scored = score_both_ways(context, *chosen)
    keys = pd.util.hash_array(ids.to_numpy(object))
    market = build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)
    decisions = extract_decisions(population.interactions, ids)
    allowance = MarketConfig.model_validate({}).build_allowance(decisions, len(ids))
    lists = make_policy_lists(market, AttentionModel(), POLICY, allowance=allowance)
    return Night(ids, champion, market, lists.positions)


def measure_cost(night: Night) -> float:
    """The share of expected matches that the bound on exposure costs."""
    free = make_policy_lists(night.market, AttentionModel(), POLICY).positions
    bound, unbound = (
        compute_outcome(night.market, AttentionModel(), placed)["expected_matches"] for placed in (night.placed, free)
    )
    return 1 - bound / unbound


def measure_effect(
    population: Frames, before: Night, campaign: Campaign, fakes: int, champion: Ranker | None = None
) -> Effect:
    """Run again with the fakes of a campaign in the population."""
    victims: Ids = before.ids.to_numpy(object)[np.argsort(-before.count_lists(), kind="stable")[VICTIMS]]
    attacked, ids = attack(population, campaign, fakes, victims, np.random.default_rng(1))
    night = run_night(attacked, champion)
    at = night.ids.get_indexer(pd.Index(ids))
    counts = {name: night.count_lists(depth) for name, depth in DEPTHS.items()}
    now, then = (each.count_lists()[each.ids.get_indexer(pd.Index(victims))] for each in (night, before))
    return Effect(
        {name: float(each[at].mean() / each.mean()) for name, each in counts.items()},
        int(counts["places"][at].max()),
        (now / then).tolist(),
    )


def main(
    people: Annotated[int, typer.Option(help="Users of the population.")] = 2000,
    fakes: Annotated[int, typer.Option(help="Fake accounts that join it.")] = 50,
    seed: Annotated[int, typer.Option(help="Another seed is another population.")] = 1,
) -> None:
    """Train and make lists without fakes, then with those of each campaign."""
    population = simulate_population(people, seed)
    before = run_night(population)
    typer.echo(f"The bound on exposure costs {measure_cost(before):.2%} of expected matches without fakes.\n")
    rows: list[Row] = []
    for name, campaign in CAMPAIGNS.items():
        effect = measure_effect(population, before, campaign, fakes)
        kept = ", ".join(f"{share:.0%}" for share in effect.kept)
        lists: Row = {"lists of a fake, at most": effect.most_listed, "lists kept by victims": kept}
        rows.append({"campaign": name, **effect.ratios, **lists})
    typer.echo(markdown(rows))


if __name__ == "__main__":
    typer.run(main)
