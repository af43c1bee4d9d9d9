"""Nights simulated before they happen; on demand, not part of the nightly job."""

import time
from enum import StrEnum

import dagster as dg
import pandas as pd
from pydantic import Field

from models.simulation.arms.arm_registry import ArmChoice
from pipelines.loaders.simulation.simulated_loader import MAX_SEED
from pipelines.loaders.simulation.simulated_loop import MAX_DAYS, MAX_PEOPLE, LoopPlan, simulate_loop
from pipelines.reports.loop_report import build_loop_metadata
from pipelines.resources import LikesResource

GROUP = "simulation"


class LikesShown(StrEnum):
    """How likes reach people, as a choice of the configuration."""

    secret = "secret"  # noqa: S105 - a name, not a password
    told = "told"


class LoopConfig(dg.Config):
    """What to simulate."""

    days: int = Field(14, ge=1, le=MAX_DAYS, description="Number of days.")
    people: int = Field(1000, ge=1, le=MAX_PEOPLE, description="Number of people on the first day.")
    joiners: int = Field(20, ge=0, le=MAX_PEOPLE, description="Number of people who join on each later day.")
    seed: int = Field(1, ge=0, le=MAX_SEED, description="Another seed gives other people and other luck.")
    policies: list[str] = Field(
        ["best_response"], description="Market policies; the first is what other arms are compared with."
    )
    rivals: list[str] = Field(
        ["unweighted", "p_match", "popularity", "random", "oracle"],
        description="Rivals of the policies: unweighted, p_match, p_like, als, popularity, random, oracle.",
    )
    likes: LikesShown | None = Field(
        None, description="Whether receivers see the likes they received; unset: as in MATCHING_LIKES."
    )
    most_telling: float = Field(
        0.5, gt=0, le=1, description="Where likes are secret: the probability with which a list may tell of one."
    )

    def build_plan(self, likes: LikesResource) -> LoopPlan:
        """Build the plan of this configuration, with the installation's setting where likes are unset."""
        told = likes.are_told if self.likes is None else self.likes is LikesShown.told
        choice = ArmChoice(self.policies, self.rivals, "told" if told else "secret", self.most_telling)
        return LoopPlan(self.days, self.people, self.joiners, self.seed, choice)


@dg.asset(group_name=GROUP, owners=["team:data-science"], kinds={"numpy", "parquet"})
def loop_simulation(
    context: dg.AssetExecutionContext,
    config: LoopConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    likes: LikesResource,
) -> dg.Output[pd.DataFrame]:
    """Nights simulated with the functions of the pipeline, and people who react, day after day.

    In: nothing; the people are those of the simulated population. Out: a frame, a row an arm and day: matches,
    with_match, views_gini, likes_waiting, newcomers_matched, p_match_said, p_match_seen and more; on the last day also
    95 % intervals (`*_low`, `*_high`) and the gain over the first arm. All arms share people and luck.
    """
    start, plan = time.monotonic(), config.build_plan(likes)

    def log_arm(arm: str, day: int) -> None:
        if day == plan.days - 1:
            context.log.info(f"{arm.replace('_', ' ')}: {plan.days} days done, {time.monotonic() - start:.0f} s so far")

    figures = simulate_loop(plan, log_arm)
    return dg.Output(
        figures,
        metadata={
            **build_loop_metadata(figures),
            "likes": plan.choice.likes,
            "dagster/row_count": len(figures),
            "seconds": round(time.monotonic() - start, 2),
        },
    )
