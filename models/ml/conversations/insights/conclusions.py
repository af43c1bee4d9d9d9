"""What the cells say, in sentences, each with the assumption that it rests on."""

from collections.abc import Iterator, Mapping

import pandas as pd

from models.ml.conversations.insights.cells import ALL, MIN_PEOPLE
from models.ml.conversations.insights.course import FEW_MESSAGES, MOST_MESSAGES, ONE_SIDED, SILENT
from models.ml.conversations.insights.depth import DECILES
from models.ml.conversations.outcomes import MATURE_DAYS

Figures = Mapping[tuple[str, str], pd.Series]
NOTHING = f"No figure has {MIN_PEOPLE} people behind it yet: nothing can be said of what follows a match."


def describe_insights(cells: pd.DataFrame) -> list[str]:
    """Describe the cells of all months together in sentences; what has no cell is left out.

    Args:
        cells: The frame of `town_insights.collect_insights`.
    """
    known = cells[cells["month"].isna()]
    figures = {(str(row["measure"]), str(row["cell"])): row for _, row in known.iterrows()}
    parts = (_describe_funnel, _describe_ends, _describe_answers, _describe_course, _describe_balance, _describe_depth)
    found = [sentence for part in (*parts, _describe_variance) for sentence in part(figures)]
    return found or [NOTHING]


def _describe_funnel(figures: Figures) -> Iterator[str]:
    stages = {
        "opened": "somebody wrote",
        "answered": "the other one answered",
        "reached_5": "both sent 5 messages",
        "reached_20": "both sent 20",
    }
    said = [f"in {_format(figures[name, ALL])} {text}" for name, text in stages.items() if (name, ALL) in figures]
    if said:
        yield f"Of the matches, within {MATURE_DAYS} days {', '.join(said)}. This assumes that no messages are missing."


def _describe_ends(figures: Figures) -> Iterator[str]:
    if ("contact", ALL) in figures:
        yield (
            f"Where words were counted, {_format(figures['contact', ALL])} came to a contact. "
            "This says nothing of people who do not let their words be counted."
        )
    if ("met", ALL) in figures:
        yield (
            f"Of those with an answer to whether they met, {_format(figures['met', ALL])} did. "
            "This assumes nothing of those who do not say; people who met may say so more often."
        )


def _describe_answers(figures: Figures) -> Iterator[str]:
    day, week = figures.get(("answered_within", "24 h")), figures.get(("answered_within", "168 h"))
    if day is not None and week is not None:
        yield (
            f"Of the openers, {_format(day)} are answered within 24 hours and {_format(week)} within 7 days. "
            "This assumes that conversations closed before an answer would have been answered like the others."
        )


def _describe_course(figures: Figures) -> Iterator[str]:
    steps = {number: figures.get(("goes_on", f"message {number}")) for number in range(3, MOST_MESSAGES + 1)}
    known = {number: row for number, row in steps.items() if row is not None}
    if known:
        worst = min(known, key=lambda number: float(known[number]["value"]))
        yield (
            f"Once both have had their say, conversations end most often after message {worst}: "
            f"{_format(known[worst])} go on from there. This assumes that {SILENT.days} silent days are an end."
        )


def _describe_balance(figures: Figures) -> Iterator[str]:
    left, one_sided = figures.get(("left_by_other", ALL)), figures.get(("one_sided", ALL))
    if left is not None:
        yield (
            f"Of conversations that are over, {_format(left)} were left by the one who was written to first. "
            "This assumes that whose turn it is follows from who wrote last."
        )
    if one_sided is not None:
        yield (
            f"In {_format(one_sided)} of the conversations with at least {FEW_MESSAGES} messages, one of "
            f"the two wrote more than {ONE_SIDED:.0%} of them. This counts messages, not their length."
        )


def _describe_depth(figures: Figures) -> Iterator[str]:
    lowest, highest = (figures.get(("reached_5", f"decile {number:02}")) for number in (1, DECILES))
    if lowest is not None and highest is not None:
        apart = highest["low"] > lowest["high"] or lowest["low"] > highest["high"]
        said = "more than chance explains" if apart else "which chance can explain"
        yield (
            f"Both sent 5 messages in {_format(highest)} of the tenth of matches with the highest p_match, and in "
            f"{_format(lowest)} of the tenth with the lowest, {said}. These are differences between pairs, not effects."
        )


def _describe_variance(figures: Figures) -> Iterator[str]:
    people = figures.get(("variance", "people"))
    if people is not None:
        yield (
            f"Of the variance of whether both send 5 messages, {_format(people)} lies with the two people, the rest "
            "with the pair and with luck. This assumes that what people bring adds up."
        )


def _format(row: pd.Series) -> str:
    """Return a share in percent with its interval."""
    return f"{100 * row['value']:.0f} % (95 %: {100 * row['low']:.0f} to {100 * row['high']:.0f})"
