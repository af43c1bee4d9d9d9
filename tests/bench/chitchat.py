"""Measure the outcome head on real conversations: `python -m tests.bench.chitchat`.

ChitChat are 7,168 conversations of 1,315 students, MIT licence, in the package chitchat-dataset. Its texts hold contact
details of real people: only senders, times and lengths of messages are read here, and nothing of them is printed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import chitchat_dataset
import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.conversations.head.outcome_gate import HeadQuality, measure_quality
from models.ml.conversations.head.outcome_head import Past, predict_forward
from models.ml.conversations.head.outcome_inputs import MatchSample
from models.ml.conversations.head.past_rates import collect_outcomes

SEEN, LONG = 8, 40
"""A conversation of SEEN messages goes on if it reaches LONG."""
DAY = 24 * 60 * 60
"""A conversation is over when nobody has written for a day: from then on its outcome is known."""
CUT = 0.7
"""The last of the conversations, by time, are predicted."""
OUTCOMES = ("reached_long", "reached_seen")
KNOWN = (1, 2, 4, 8, 16)
SHUFFLES = 10


@dataclass(frozen=True)
class ChitChat:
    """Conversations that both have joined within SEEN messages: what is known before them, and of their beginning."""

    past: Past
    matches: MatchSample
    """Without context."""
    structure: Float64Array
    """Of the first SEEN messages, float64 (n, f)."""


def read_messages() -> pd.DataFrame:
    """Read all messages in order: conversation, sender, sent_at in seconds, length, and index in the conversation."""
    content = json.loads(Path(chitchat_dataset._PATH).read_text(encoding="utf-8"))
    rows = [
        (number, message["sender"], message["timestamp"], len(message["text"]))
        for number, conversation in enumerate(content.values())
        for run in conversation["messages"]
        for message in run
    ]
    frame = pd.DataFrame(rows, columns=["conversation", "sender", "sent_at", "length"])
    frame["sender"] = pd.factorize(frame["sender"])[0]
    frame["sent_at"] = pd.to_datetime(frame["sent_at"], format="ISO8601").dt.as_unit("s").astype(np.int64)
    return frame.assign(index=frame.groupby("conversation").cumcount())


def build_chitchat(messages: pd.DataFrame) -> ChitChat:
    """Build what the head takes from messages."""
    conversations = _summarise(messages)
    two = conversations[conversations["other"].notna()]
    sides = two[["opener", "other"]].to_numpy(np.int64).T.ravel()
    known_at = np.tile(two["last"].to_numpy(np.int64) + DAY, 2)
    past = {
        name: collect_outcomes(sides, known_at, np.tile(two["messages"].to_numpy() >= count, 2).astype(np.float64))
        for name, count in zip(OUTCOMES, (LONG, SEEN), strict=True)
    }
    first = messages[messages["index"] < SEEN]
    joined = first.groupby("conversation")["sender"].nunique().reindex(two.index) == 2
    asked = two[(two["messages"] >= SEEN) & joined].sort_values("first")
    matches = MatchSample(
        asked[["opener", "other"]].to_numpy(np.int64),
        asked["first"].to_numpy(np.int64),
        asked["last"].to_numpy(np.int64) + DAY,
        np.asarray(asked["messages"] >= LONG, np.float64),
        np.empty((len(asked), 0)),
    )
    return ChitChat(past, matches, _build_structure(first, conversations["opener"]).loc[asked.index].to_numpy())


def _summarise(messages: pd.DataFrame) -> pd.DataFrame:
    """Summarise conversations: opener, other (missing if nobody answered), messages, first and last in seconds."""
    groups = messages.groupby("conversation")
    found = pd.DataFrame(
        {
            "opener": groups["sender"].first(),
            "messages": groups.size(),
            "first": groups["sent_at"].min(),
            "last": groups["sent_at"].max(),
        }
    )
    others = messages[messages["sender"] != messages["conversation"].map(found["opener"])]
    return found.assign(other=others.groupby("conversation")["sender"].first())


def _build_structure(first: pd.DataFrame, opener: pd.Series) -> pd.DataFrame:
    """Build who wrote when of the first messages: times as logs of seconds, turns, shares and lengths."""
    gap = first.groupby("conversation")["sent_at"].diff().fillna(0).clip(lower=0)
    turn = first["sender"] != first.groupby("conversation")["sender"].shift()
    rows = first.assign(gap=gap, turn=turn, mine=first["sender"] == first["conversation"].map(opener))
    groups, mine, theirs = (each.groupby("conversation") for each in (rows, rows[rows["mine"]], rows[~rows["mine"]]))
    reply = [
        rows[rows["turn"] & (rows["mine"] == who)].groupby("conversation")["gap"].median() for who in (True, False)
    ]
    seconds = pd.DataFrame(
        {
            "elapsed": groups["gap"].sum(),
            "longest": groups["gap"].max(),
            "median": groups["gap"].median(),
            "last": groups["gap"].last(),
            "answered": theirs["sent_at"].min() - groups["sent_at"].min(),
            "reply": reply[0],
            "reply_other": reply[1],
            "length": mine["length"].mean(),
            "length_other": theirs["length"].mean(),
        }
    )
    shares = {
        "turns": groups["turn"].sum(),
        "share": (groups["mine"].mean() - 0.5).abs(),
        "ends": groups["mine"].last(),
    }
    logged: pd.DataFrame = seconds.clip(lower=0).transform(np.log1p)
    return logged.assign(**shares).astype(np.float64).fillna(0.0)


def measure_all(chitchat: ChitChat) -> Mapping[str, HeadQuality]:
    """Measure structure and past, each alone, and past with few conversations known of each person."""
    both = replace(chitchat.matches, context=chitchat.structure)
    found = {
        "structure and past": _measure(chitchat.past, both, OUTCOMES),
        "structure": _measure(chitchat.past, both, ()),
        "past": _measure(chitchat.past, chitchat.matches, OUTCOMES),
    }
    return found | {f"past, {most} known": _measure(chitchat.past, chitchat.matches, OUTCOMES, most) for most in KNOWN}


def measure_shuffled(chitchat: ChitChat, shuffles: int = SHUFFLES) -> Float64Array:
    """Measure the AUC of structure and past with the outcomes of the asked conversations shuffled, (shuffles,)."""
    rng, matches = np.random.default_rng(0), replace(chitchat.matches, context=chitchat.structure)
    return np.array(
        [
            _measure(chitchat.past, replace(matches, outcome=rng.permutation(matches.outcome)), OUTCOMES).auc
            for _ in range(shuffles)
        ]
    )


def _measure(past: Past, matches: MatchSample, outcomes: Sequence[str], most: int | None = None) -> HeadQuality:
    return measure_quality(matches, predict_forward(past, matches, (CUT,), outcomes, most))


def main() -> None:
    """Print a row for each measurement."""
    chitchat = build_chitchat(read_messages())
    print("known | AUC | log loss, of the constant | gain, error | calibration error | top tenth, all")
    for name, each in measure_all(chitchat).items():
        print(
            f"{name} | {each.auc:.3f} ± {each.auc_error:.3f} | {each.log_loss:.3f}, {each.constant_loss:.3f} | "
            f"{each.gain:.3f} ± {each.gain_error:.3f} | {each.calibration_error:.3f} | "
            f"{each.top_tenth:.2f}, {each.went_on:.2f} of {each.matches:,}"
        )
    shuffled = measure_shuffled(chitchat)
    error = shuffled.std(ddof=1) / np.sqrt(len(shuffled))
    print(f"outcomes shuffled | {shuffled.mean():.3f} ± {error:.3f}, mean of {len(shuffled)}")


if __name__ == "__main__":
    main()
