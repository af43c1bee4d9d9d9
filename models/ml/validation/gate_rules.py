"""The rules of the gate: a figure, its bound and its standard error, and the sentence that says all three."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Relation = Literal["above", "at least", "at most"]
RELATIONS: Mapping[Relation, Callable[[float, float], bool]] = {
    "above": operator.gt,
    "at least": operator.ge,
    "at most": operator.le,
}
# Fewest and most digits after the point. With the most, no two doubles of the size of these figures look alike.
DIGITS, MAX_DIGITS = 4, 20


@dataclass(frozen=True)
class Rule:
    """A bound on a figure of a held-out evaluation.

    The bound decides on `value` alone. Where the standard error counts, `value` is the figure less its error.

    Attributes:
        name: Key of the figure in metadata, such as `log_loss_difference`.
        said: The figures that `value` is computed from, and what it is, in words.
        value: The figure that the bound is for; NaN if it is not known.
        relation: How the figure must compare with the bound.
        bound: The bound.
        error: Standard error of `value`; NaN where it is not known or has been subtracted already.
        operands: The figures in `said`, by key.
        needs: What it takes to know `value`, in words.
    """

    name: str
    said: str
    value: float
    relation: Relation
    bound: float
    error: float = math.nan
    operands: Mapping[str, float] = field(default_factory=dict)
    needs: str = "held-out decisions"

    @property
    def is_known(self) -> bool:
        """Whether there is a figure to compare with the bound."""
        return not math.isnan(self.value)

    @property
    def is_met(self) -> bool:
        """Whether the figure is within the bound; False if it is not known."""
        return bool(RELATIONS[self.relation](self.value, self.bound))

    @property
    def rule(self) -> str:
        """The bound in words, such as "at most 0.05"."""
        return f"{self.relation} {self.bound:g}"

    @property
    def sentence(self) -> str:
        """The figures, the bound, and whether it is met."""
        if not self.is_known:
            return f"{self.said} not known, as it needs {self.needs} ({self.rule} is required: not judged)"
        value = format_beside(self.value, self.bound) + format_error(self.error)
        return f"{self.said} {value} ({self.rule} is required: {'met' if self.is_met else 'not met'})"

    @property
    def figures(self) -> dict[str, float]:
        """The known figures as the sentence shows them, by key: the operands, the value, its error and its bound."""
        rounded = {**self.operands, f"{self.name}_error": self.error}
        shown = {key: round(value, DIGITS) for key, value in rounded.items() if math.isfinite(value)}
        value = {self.name: float(format_beside(self.value, self.bound))} if self.is_known else {}
        return shown | value | {f"{self.name}_bound": self.bound}


@dataclass(frozen=True)
class GateCheck:
    """One check of the gate.

    Attributes:
        name: Name of the check.
        passed: Whether the check lets the challenger become champion. A check that could not be judged may do so.
        sentence: The figures, the rule and the result; for a check that was not judged, the reason.
        judged: Whether there was something to judge.
        rules: The rules that were applied.
    """

    name: str
    passed: bool
    sentence: str
    judged: bool = True
    rules: Sequence[Rule] = ()

    @property
    def state(self) -> str:
        """The result in words: passed, failed or not judged."""
        return ("passed" if self.passed else "failed") if self.judged else "not judged"

    @property
    def figures(self) -> dict[str, float]:
        """The known figures of all rules, by key."""
        return collect_figures(self.rules)


def judge(name: str, rules: Sequence[Rule], *, passes_unknown: bool = False) -> GateCheck:
    """Apply rules, all of which must be met.

    A check fails if a known figure is outside its bound. It is not judged if none is, but a figure is not known.

    Args:
        name: Name of the check.
        rules: The rules.
        passes_unknown: Whether the check lets a challenger pass although a figure is not known.
    """
    known = [rule for rule in rules if rule.is_known]
    failed = not all(rule.is_met for rule in known)
    judged = failed or len(known) == len(rules)
    passed = not failed and (judged or passes_unknown)
    return GateCheck(name, passed, join_sentences(rules), judged, rules)


def leave_unjudged(name: str, reason: str, rules: Sequence[Rule] = (), *, passed: bool) -> GateCheck:
    """Return a check that could not be judged, with the reason and the rules that led to it."""
    return GateCheck(name, passed, reason, judged=False, rules=rules)


def collect_figures(rules: Iterable[Rule]) -> dict[str, float]:
    """Return the known figures of rules, by key."""
    return {name: value for rule in rules for name, value in rule.figures.items()}


def join_sentences(rules: Iterable[Rule]) -> str:
    """Return the sentences of rules as one."""
    return "; ".join(rule.sentence for rule in rules)


def format_beside(value: float, bound: float) -> str:
    """Format a figure with as many digits as it takes to see on which side of its bound it is."""
    if isinstance(value, int):
        return str(value)
    side = _compare(value, bound)
    texts = (f"{value:.{digits}f}" for digits in range(DIGITS, MAX_DIGITS + 1))
    return next((text for text in texts if _compare(float(text), bound) == side), repr(value))


def format_figure(value: float, error: float = math.nan) -> str:
    """Format a figure with its standard error; a figure that is NaN is not known."""
    return "not known" if math.isnan(value) else f"{value:.{DIGITS}f}{format_error(error)}"


def format_error(error: float) -> str:
    """Format a standard error, to be put behind its figure; empty if it is not known."""
    return "" if math.isnan(error) else f" ± {error:.{DIGITS}f}"


def round_to_error(value: float, error: float = math.nan) -> float:
    """Round a figure to two digits of its standard error; to DIGITS places where there is none or it is 0."""
    places = 1 - math.floor(math.log10(error)) if error > 0 else DIGITS
    return value if math.isnan(value) else round(value, places)


def _compare(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)
