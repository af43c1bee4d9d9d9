"""The workspace: read-only access to the results of the last run, for notebooks.

workspace = open_workspace()
workspace.profiles, workspace.rankers.full, workspace.query("SELECT * FROM matching.matches")
"""

import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
from sqlalchemy import text
from upath import UPath

from models.db.engines import open_database
from models.db.errors import InputError, RankerLost
from models.db.settings import Settings, get_settings
from models.ml.arrays import Float64Array, Int64Array
from models.ml.conversations.frames import conform_frame
from models.ml.conversations.outcomes import OUTCOME_TYPES
from models.ml.features.pair_features import Pairs
from models.ml.market import AttentionModel, MarketGraph
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.scoring_context import NO_BLOCKS, ScoringContext, build_scoring_context
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.conversations.fact_shards import load_earlier_facts
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.loaders.simulation.ground_truth import find_truth
from pipelines.resources import ShardStore
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import convert_from_table, read_table, store_url
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest

with warnings.catch_warnings():
    # In a notebook tqdm, which MLflow imports, warns without a package for progress bars. None are drawn here.
    warnings.filterwarnings("ignore", "IProgress not found")
    from pipelines.assets.market.market_config import MarketConfig
    from pipelines.assets.market.market_inputs import rebuild_market
    from pipelines.assets.market.market_state import FRAME
    from pipelines.definitions import build_registry

DATA_FOLDER = ".data"


@dataclass(frozen=True)
class Workspace:
    """The frames, the ranker and the database of one installation, each read on first use.

    The frames are those of the last run. In all arrays a user has the same index, that of the row in `profiles`.
    """

    settings: Settings

    def read_frame(self, asset: str) -> pd.DataFrame:
        """Read the stored frame of an asset.

        Raises:
            InputError: The asset was never materialized.
        """
        return convert_from_table(self._read_table(asset))

    def _read_table(self, asset: str) -> pa.Table:
        path = self._get_path(asset)
        if not path.exists():
            raise InputError(
                f"there is no {path}: run `make demo`, or load people and `matching run`, with the same MATCHING_HOME"
            )
        return read_table(path)

    def _get_path(self, frame: str) -> UPath:
        return ShardStore(base=store_url(self.settings)).get_frame_path(frame)

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """The accepted profiles (see models.ml.profiles.frame_contracts)."""
        return self.read_frame("profiles")

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """The accepted likes and passes."""
        return self.read_frame("interactions")

    @cached_property
    def training_pairs(self) -> pd.DataFrame:
        """One row for each decision: viewer_id, candidate_id, liked, decided_at, group, fold."""
        return self.read_frame("training_pairs")

    @cached_property
    def answers(self) -> AnswerEmbeddings:
        """The embedded answers."""
        return load_answers(ShardManifest.from_table(self._read_table("profile_embeddings")))

    @cached_property
    def rankers(self) -> CrossFittedRanker:
        """The rankers that scored the candidates: the full one, and those trained without a fold.

        Raises:
            RankerLost: MLflow has lost them.
        """
        try:
            return build_registry(self.settings).load_rankers(self._scores.ranker_version)
        except RankerLost as error:
            raise RankerLost(f"{error}; restore them, or run the pipeline again with `matching run`") from error

    @cached_property
    def context(self) -> ScoringContext:
        """All users as the ranker scores them: profile matrix, history and eligible candidates."""
        return build_scoring_context(self.rankers.full, self.profiles, self.interactions, NO_BLOCKS, self.answers)

    @cached_property
    def scored(self) -> ScoredPairs:
        """The scored pairs of all viewers."""
        return load_scored_pairs(self._scores, pd.Index(self.profiles["profile_id"]))

    @cached_property
    def _scores(self) -> ScoreManifest:
        return ScoreManifest.from_table(self._read_table("scored_candidates"))

    @cached_property
    def lists(self) -> pd.DataFrame:
        """One row for each viewer (see models.ml.scoring.list_frames)."""
        return self.read_frame("match_lists")

    @cached_property
    def market(self) -> MarketGraph:
        """The scored candidates as the market graph, with the activity and the market state of the last run."""
        frames = self.scored, self.profiles, self.read_frame("activity"), self.context.decisions
        market, _ = rebuild_market(MarketConfig.model_validate({}), self.attention, self._get_path(FRAME), *frames)
        return market.graph

    @cached_property
    def attention(self) -> AttentionModel:
        """The examination of lists and inboxes that the pipeline assumes without a configuration."""
        with open_database(self.settings) as engine, engine.connect() as connection:
            return MarketConfig.model_validate({}).build_attention(
                estimate_attention(connection), told=self.settings.likes == "told"
            )

    @cached_property
    def truth(self) -> Float64Array | None:
        """The ground truth: probability of a like for each training pair, without chemistry.

        None unless all users belong to one simulated population.
        """
        asked = find_truth(self.profiles, self.settings.home)
        return None if asked is None else asked(self.training_pairs)

    @cached_property
    def conversation_facts(self) -> pd.DataFrame:
        """The facts of the accepted conversations (see models.ml.conversations.frames); no rows if there are none."""
        return load_earlier_facts(self._get_path("conversation_facts"))

    @cached_property
    def conversation_outcomes(self) -> pd.DataFrame:
        """What became of them (see models.ml.conversations.outcomes); no rows if there are none."""
        try:
            return conform_frame(self.read_frame("conversation_outcomes"), OUTCOME_TYPES)
        except InputError:
            return conform_frame(pd.DataFrame(columns=list(OUTCOME_TYPES)), OUTCOME_TYPES)

    @cached_property
    def evaluation(self) -> pd.DataFrame | None:
        """The metrics of the last `matching evaluate` (see models.ml.evaluation.evaluate); None if there was none."""
        try:
            return self.read_frame("ranker_evaluation")
        except InputError:
            return None

    def find_position(self, who: str) -> int:
        """Find the index of a user by profile id or source key.

        Raises:
            InputError: No profile of the last run has this id or source key.
        """
        found = self.profiles.index[(self.profiles["profile_id"] == who) | (self.profiles["source_key"] == who)]
        if not len(found):
            raise InputError(f"no profile of the last run has the id or source key {who!r}")
        return int(found[0])

    def pick_person(self) -> str:
        """Return the source key of a user with a list of typical length: the first with at least the median."""
        places = self.lists["candidate_ids"].map(len)
        viewers = self.lists["viewer_id"][places >= places[places > 0].median()]
        return str(self.profiles.set_index("profile_id")["source_key"][viewers].min())

    def build_pairs(self, viewer: Int64Array, candidate: Int64Array) -> Pairs:
        """Build pairs from indices of viewers and candidates, with the history of each pair."""
        return self.context.build_pairs(viewer, candidate)

    def query(self, statement: str, **values: object) -> pd.DataFrame:
        """Run a query in a read-only transaction and return its rows; `:name` in it stands for a value."""
        with open_database(self.settings) as engine, engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            answer = connection.execute(text(statement), values)
            return pd.DataFrame(answer.all(), columns=list(answer.keys()))


def open_workspace() -> Workspace:
    """Open the home folder that the command `matching` uses.

    Without MATCHING_HOME, that is the nearest folder .data, in this folder or above it, because notebooks run in a
    folder of their own. Reading what no run has stored raises InputError.
    """
    here = get_settings()
    if "MATCHING_HOME" not in os.environ:
        around = [folder / DATA_FOLDER for folder in (Path.cwd(), *Path.cwd().parents)]
        here = here.model_copy(update={"home": next((data for data in around if data.is_dir()), around[0])})
    return Workspace(here)
