"""The arms by name: the product with each market policy, and the rivals."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.db.errors import InputError
from models.ml.market.policies.policy_registry import POLICIES
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.simulation.arms.product import Likes, Product
from models.simulation.arms.rivals import Oracle, Rival, make_als_score, score_popularity, score_randomly
from models.simulation.event_log import EventLog
from models.simulation.nightly_lists import train_tonight
from models.simulation.nights import Arm

BEST_RESPONSE = "best_response"


@dataclass(frozen=True)
class ArmChoice:
    """Which arms to simulate, and how likes reach people.

    Attributes:
        policies: Names in POLICIES; the first one is what the others are compared with.
        rivals: Names in RIVALS.
        likes: Whether receivers are shown the likes they received.
        most_telling: Where likes are secret, the probability with which a list may tell of one, above 0, at most 1.
    """

    policies: Sequence[str] = (BEST_RESPONSE,)
    rivals: Sequence[str] = ()
    likes: Likes = "secret"
    most_telling: float = 0.5

    def check(self) -> None:
        """Check the names, the bound and the packages that rivals need.

        Raises:
            InputError: A policy or rival is unknown or named twice, there is none, the bound is out of range, or a
                package is missing.
        """
        for what, names, known in (("policy", self.policies, POLICIES), ("rival", self.rivals, RIVALS)):
            if unknown := [name for name in names if name not in known]:
                raise InputError(f"there is no {what} {unknown[0]!r}; choose from {', '.join(known)}")
        if twice := [name for name, count in Counter([*self.policies, *self.rivals]).items() if count > 1]:
            raise InputError(f"the arm {twice[0]} is named twice; name each once")
        if not self.policies:
            raise InputError("there is no policy to simulate; name at least one")
        if not 0 < self.most_telling <= 1:
            raise InputError(f"a list cannot tell of a like with probability {self.most_telling}; give 0.01 to 1")
        if "als" in self.rivals:
            make_als_score()


@dataclass(frozen=True)
class FirstNight:
    """What all arms share on the first night: the choice, and the ranker trained on what happened before."""

    choice: ArmChoice
    ranker: CrossFittedRanker
    trained_on: int

    def make_product(self, policy: str, *, weighs: bool = True) -> Product:
        """Make the product with a market policy."""
        likes, most_telling = self.choice.likes, self.choice.most_telling
        return Product(policy, likes, most_telling, weighs, self.ranker, self.trained_on)


RIVALS: Mapping[str, Callable[[FirstNight], Arm]] = {
    "unweighted": lambda night: night.make_product(BEST_RESPONSE, weighs=False),
    "p_match": lambda night: night.make_product("product", weighs=False),
    "p_like": lambda night: night.make_product("naive", weighs=False),
    "als": lambda night: Rival(make_als_score(), night.ranker, night.choice.likes),
    "popularity": lambda night: Rival(score_popularity, night.ranker, night.choice.likes),
    "random": lambda night: Rival(score_randomly, night.ranker, night.choice.likes),
    "oracle": lambda night: Oracle(
        BEST_RESPONSE, night.choice.likes, night.choice.most_telling, ranker=night.ranker, trained_on=night.trained_on
    ),
}
"""What the product is compared with: best response without activity and pending likes, orders without a market, ALS,
and the product with true probabilities."""


def build_arms(choice: ArmChoice, log: EventLog) -> dict[str, Arm]:
    """Build the arms of a choice by name, policies first, with a ranker trained on the log so far.

    Raises:
        InputError: A name is unknown or occurs twice, or a package is missing.
    """
    choice.check()
    night = FirstNight(choice, train_tonight(log, None), len(log.interactions))
    products = {policy: night.make_product(policy) for policy in choice.policies}
    return {**products, **{name: RIVALS[name](night) for name in choice.rivals}}
