"""The evaluation of the ranker against all baselines, in a job of its own."""

import time
from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import Field

from models.ml.evaluation.evaluate import evaluate_methods
from models.ml.evaluation.evaluation_data import build_evaluation_data
from models.ml.evaluation.variance_split import describe_variance
from pipelines.assets.ranker.training import MAX_SEED
from pipelines.loaders.simulation.ground_truth import find_truth
from pipelines.reports.ranker.evaluation_report import build_evaluation_metadata
from pipelines.resources import DatabaseResource
from pipelines.store.answer_shards import load_answers
from pipelines.store.shard_manifest import ShardManifest

GROUP = "evaluation"


class EvaluationConfig(dg.Config):
    """Configuration of an evaluation."""

    seed: int = Field(0, ge=0, le=MAX_SEED, description="Another seed holds out other users; 0 to 2,147,483,647.")
    use_race_and_ethnicity: bool = Field(
        False, description="Also learn from traits, facts and wants about race and ethnicity."
    )


@dg.asset(group_name=GROUP, owners=["team:data-science"], kinds={"parquet"})
def ranker_evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    database: DatabaseResource,
    profiles: pd.DataFrame,
    profile_embeddings: ShardManifest,
    training_pairs: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """Evaluate the ranker and all baselines on users that they have not seen in training.

    In: `profiles`, `profile_embeddings`, `training_pairs`. Out: a frame with one row for each protocol, size of
    history, method, target and fold, with AUC within viewers, log loss and calibration error.
    """
    start = time.monotonic()
    asked = build_evaluation_data(
        profiles,
        load_answers(profile_embeddings),
        training_pairs,
        config.seed,
        sensitive=config.use_race_and_ethnicity,
        truth=find_truth(profiles, Path(database.home)),
    )
    found = evaluate_methods(asked, context.log.info)
    said = describe_variance(found.split, found.explained)
    for sentence in said:
        context.log.info(sentence)
    seconds = round(time.monotonic() - start, 2)
    return dg.Output(found.figures, metadata={**build_evaluation_metadata(found.figures, said), "seconds": seconds})
