"""What has happened so far in a simulation: decisions and impressions, as arrays and as frames of the pipeline."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Int64Array
from models.simulation.behaviour import CardViews, NightLists
from models.simulation.world import World

NOTHING, LIKE, PASS = 0, 1, 2
Decided = np.ndarray[tuple[int, int], np.dtype[np.int8]]


@dataclass
class EventLog:
    """The log of a world after some days.

    Attributes:
        world: The people.
        decided: The decision of each person about each other, int8 (n, n): NOTHING, LIKE or PASS.
        interactions: All decisions as an interactions frame, in order of time.
        days: The impressions of each day so far.
        lists: The lists of each day so far.
    """

    world: World
    decided: Decided
    interactions: pd.DataFrame
    days: list[CardViews] = field(default_factory=list)
    lists: list[NightLists] = field(default_factory=list)

    @property
    def matched(self) -> BoolArray:
        """Which people like each other, bool (n, n)."""
        return np.asarray((self.decided == LIKE) & (self.decided == LIKE).T)

    def find_pending(self, present: BoolArray) -> tuple[Int64Array, Int64Array]:
        """Find the likes that wait for a decision: receivers and senders, both present, (k,) each."""
        waits = (self.decided == LIKE).T & (self.decided == NOTHING) & present[:, None] & present
        receiver, sender = np.nonzero(waits)
        return receiver.astype(np.int64), sender.astype(np.int64)

    def decided_before(self, day: int) -> Decided:
        """Return the decisions as they were on the morning of a day, int8 (n, n)."""
        decided = open_log(self.world).decided
        for seen in self.days[:day]:
            _decide(decided, seen)
        return decided

    def add_day(self, lists: NightLists, impressions: CardViews) -> None:
        """Add the lists of the next day, and what happened."""
        day, cards, liked = len(self.days), impressions.cards, impressions.liked
        _decide(self.decided, impressions)
        ids = self.world.profiles["profile_id"].to_numpy(object)
        moment = self.world.starts_at + timedelta(days=day)
        frame = pd.DataFrame(
            {
                "interaction_id": [f"{day:04d}-{row:08d}" for row in range(len(liked))],
                "actor_id": ids[cards.viewer],
                "target_id": ids[cards.candidate],
                "kind": np.where(liked, "like", "pass").astype(object),
                "created_at": pd.Timestamp(moment) + pd.to_timedelta(impressions.second, unit="s"),
            }
        )
        self.interactions = pd.concat([self.interactions, frame.sort_values("created_at")], ignore_index=True)
        self.days.append(impressions)
        self.lists.append(lists)


def _decide(decided: Decided, seen: CardViews) -> None:
    """Write the decisions of a day."""
    decided[seen.cards.viewer, seen.cards.candidate] = np.where(seen.liked, LIKE, PASS)


def open_log(world: World) -> EventLog:
    """Open the log of a world with what happened before day 0."""
    decided = np.zeros((world.people, world.people), np.int8)
    # A frame without rows has no type of time, and would take it from the frame of the first day.
    ordered = world.earlier.sort_values("created_at").astype({"created_at": "datetime64[us, UTC]"})
    actor, target = world.find_numbers(ordered["actor_id"]), world.find_numbers(ordered["target_id"])
    decided[actor, target] = np.where(ordered["kind"] == "like", LIKE, PASS)
    return EventLog(world, decided, ordered.reset_index(drop=True))
