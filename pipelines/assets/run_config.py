"""Check the bounds of the assets' configuration when a run starts, and not only when the asset is materialized."""

import os
from collections.abc import Mapping
from typing import Any, get_type_hints

import dagster as dg
from pydantic import TypeAdapter, ValidationError

from models.db.errors import InputError
from pipelines.assets.conversations.flags.message_flags import FlagConfig
from pipelines.assets.impressions.activity import ActivityConfig
from pipelines.assets.market.loop_simulation import LoopConfig
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.policies.policy_value import PolicyValueConfig
from pipelines.assets.ranker.evaluation import EvaluationConfig
from pipelines.assets.ranker.training import RankerConfig

CONFIGS: Mapping[str, type[dg.Config]] = {
    "activity": ActivityConfig,
    "ranker": RankerConfig,
    "review_queue": FlagConfig,
    "match_lists": MarketConfig,
    "policy_comparison": MarketConfig,
    "match_fairness": MarketConfig,
    "policy_value": PolicyValueConfig,
    "ranker_evaluation": EvaluationConfig,
    "loop_simulation": LoopConfig,
}


@dg.resource
def config_check(context: dg.InitResourceContext) -> None:
    """Refuse numbers out of range before the first step. Every asset with a configuration requires this resource.

    Raises:
        InputError: A number is out of range; the message names the asset, the field and the value.
    """
    launched: Mapping[str, Any] = context.run.run_config if context.run else {}
    ops = launched.get("ops", {})
    if wrong := [each for asset, config in CONFIGS.items() for each in _find_errors(asset, config, ops.get(asset, {}))]:
        raise InputError(f"{'; '.join(wrong)}. Nothing has run: mend it in the run's configuration and launch it again")


def _find_errors(asset: str, config: type[dg.Config], launched: Mapping[str, Any]) -> list[str]:
    # Dagster has already checked names and types, so only fields with bounds are left to check.
    bounded = {name for name, field in config.model_fields.items() if field.metadata}
    types = get_type_hints(config)
    given = {
        name: TypeAdapter(types[name]).validate_python(_resolve_variable(value))
        for name, value in launched.get("config", {}).items()
        if name in bounded
    }
    try:
        config(**given)
    except ValidationError as error:
        return [f"{asset}: {each['loc'][0]} is {each['input']!r}: {each['msg']}" for each in error.errors()]
    return []


def _resolve_variable(value: object) -> object:
    """Return the content of the environment variable that `{"env": NAME}` stands for; any other value as it is."""
    return os.environ[value["env"]] if isinstance(value, Mapping) else value
