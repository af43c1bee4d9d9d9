"""The bounds of the assets' configuration, looked at as a run starts, not only when the asset's turn has come."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._config import process_config
from pydantic import ValidationError

from models.db.errors import InputError
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.ranker_evaluation import EvaluationConfig
from pipelines.assets.ranker_training import RankerConfig

CONFIGS: Mapping[str, type[dg.Config]] = {
    "ranker": RankerConfig,
    "match_lists": MarketConfig,
    "policy_comparison": MarketConfig,
    "ranker_evaluation": EvaluationConfig,
}


@dg.resource
def config_check(context: dg.InitResourceContext) -> None:
    """Refuse numbers out of range before the first step; every asset with a configuration asks for this resource.

    Raises InputError, which names the asset, the field and the value.
    """
    launched: Mapping[str, Any] = context.run.run_config if context.run else {}
    ops = launched.get("ops", {})
    if wrong := [each for asset, made in CONFIGS.items() for each in _find_errors(asset, made, ops.get(asset, {}))]:
        raise InputError(f"{'; '.join(wrong)}. Nothing has run: mend it in the run's configuration and launch it again")


def _find_errors(asset: str, made: type[dg.Config], asked: Mapping[str, Any]) -> list[str]:
    # Dagster has checked the types by now, and a value may be {"env": NAME}.
    given: Any = process_config(made.to_config_schema().as_field().config_type, asked.get("config", {})).value
    try:
        made(**given)
    except ValidationError as error:
        return [f"{asset}: {each['loc'][0]} is {each['input']!r}: {each['msg']}" for each in error.errors()]
    return []
