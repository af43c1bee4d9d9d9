"""Plans to meet in person: a rule, and a logistic regression on sentence embeddings.

The regression is trained on sentences written for this project (`plan_examples.toml`), never on messages.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import expit

from models.ml.arrays import BoolArray, Float64Array
from models.ml.conversations.words.bodies import cut_bodies
from models.ml.profiles.encoders.opening import MINILM, open_encoder
from models.ml.ranker.linear import LinearModel, fit_ridge

EXAMPLES = Path(__file__).parent / "plan_examples.toml"
# Inverse of the ridge penalty on standardised dimensions.
STRENGTH = 0.01
# Probability above which the regression alone says so.
CERTAIN = 0.65
# Fewer say nothing. What says it, says it in the first words.
MIN_LETTERS, MAX_ENCODED = 3, 400
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_HOUR = r"(?:\d|noon|one|two|three|four|five|six|seven|eight|nine|ten|half|quarter)"
_WHEN = (
    r"(?:today|tonight|tomo(?:rrow)?|tmrw?|later|soon|sometime|this (?:week|weekend|evening|afternoon)|"
    rf"next week(?:end)?|(?:on |this |next )?{_DAY}|at {_HOUR}|half (?:past )?\w+|there|then|"
    r"in a bit)"
)
_INVITES = (
    r"(?:let'?s|shall we|should we|could we|can we|when can we|we could|we should|"
    r"(?:do you |u |you )?(?:want to|wanna)|would you like to|i'?d (?:love|like) to|thought we could|how about we)"
)
_TOGETHER = (
    r"(?:meet(?: up)?|hang(?: out)?|go(?: out)?|grab|see (?:you|each other|a film)|come over|take you|"
    r"have (?:a )?(?:dinner|lunch|brunch|drink|coffee|beer)|do (?:something|brunch|lunch|dinner))"
)
_OCCASION = r"(?:meet|meeting|dinner|lunch|brunch|coffee|drinks?|beer|walk|cinema|date)"
_OTHERS = (
    r"(?:(?:wollen|sollen|können) wir uns|treffen wir uns|sehen wir uns|bis (?:morgen|später|samstag|sonntag) um|"
    r"on se (?:voit|retrouve|rejoint)|je passe te|nos vemos|quedamos|te recojo)"
)
PLAN = re.compile(
    rf"\b(?:{_INVITES} (?:\w+ ){{0,3}}?{_TOGETHER}"
    r"|meet me|pick(?:ing)? (?:you|u|me) up|come over|(?:where|what time) (?:are|r|should|shall|do) we meet\w*"
    rf"|(?:c|see) (?:you|u|ya)\b[^.?!]{{0,20}}\b{_WHEN}|are (?:you|u) free\b[^.?!]{{0,30}}\b{_WHEN}"
    rf"|{_OCCASION} (?:\w+ ){{0,3}}?{_WHEN}|i(?:'?ll| will) (?:come|be there|pick you up|wait)"
    rf"|be there (?:at|in|by|soon)|book(?:ed)? (?:a|the|us a) table|{_OTHERS})\b",
    re.IGNORECASE,
)
# What refuses a plan has its words too.
REFUSED = re.compile(
    r"\b(?:can'?t|cannot|won'?t|not ready to|should not|don'?t want to) (?:\w+ ){0,2}?(?:meet|come|go|do|see)\b",
    re.IGNORECASE,
)


def find_plan(bodies: Sequence[str]) -> BoolArray:
    """Return which messages propose or arrange a meeting in person, bool (len(bodies),).

    The rule reads English and a little German, French and Spanish; the regression reads what the encoder does. Only the
    beginning of a long body is read.
    """
    read = cut_bodies(bodies)
    found = np.array([has_plan_words(body) for body in read], np.bool_)
    rest = [index for index in np.flatnonzero(~found) if sum(map(str.isalpha, read[index])) >= MIN_LETTERS]
    found[rest] = predict_plan([read[index] for index in rest]) >= CERTAIN
    return found


def has_plan_words(body: str) -> bool:
    """Return whether the words of a message match the rule of a plan to meet."""
    return bool(PLAN.search(body)) and not REFUSED.search(body)


def predict_plan(bodies: Sequence[str]) -> Float64Array:
    """Predict the probability that each message is a plan to meet by the regression alone, float64 (len(bodies),)."""
    beginnings = [body[:MAX_ENCODED] for body in bodies]
    if not beginnings:
        return np.empty(0)
    distinct = list(dict.fromkeys(beginnings))
    chance = dict(zip(distinct, expit(_fit_model().log_odds(open_encoder(MINILM).encode(distinct))), strict=True))
    return np.array([chance[beginning] for beginning in beginnings])


@cache
def _fit_model() -> LinearModel:
    examples = tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))
    texts = [*examples["plan"], *examples["other"]]
    return fit_ridge(open_encoder(MINILM).encode(texts), np.arange(len(texts)) < len(examples["plan"]), STRENGTH)
