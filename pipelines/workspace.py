"""What the last run of the pipeline left, for whoever wants to look at it: opened by one function, never written to.

home = open_home()
home.profiles, home.rankers.whole, home.query("SELECT * FROM matching.matches")
"""

import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from sqlalchemy import text

from models.db.engines import open_database
from models.db.errors import InputError, RankerLost
from models.db.settings import Settings, get_settings
from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.pair_features import Pairs
from models.ml.market import AttentionModel, MarketGraph
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.scoring_context import ScoringContext, build_scoring_context
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.loaders.simulation.ground_truth import find_truth
from pipelines.resources import ShardStore
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import convert_from_table, read_table, store_url

with warnings.catch_warnings():
    # In a notebook tqdm, which MLflow imports, asks for a package that draws its bars. Nothing here draws any.
    warnings.filterwarnings("ignore", "IProgress not found")
    from pipelines.assets.market.market_config import MarketConfig
    from pipelines.assets.market.market_inputs import build_graph
    from pipelines.assets.market.market_lists import NO_BLOCKS
    from pipelines.definitions import build_registry

DATA_FOLDER = ".data"


@dataclass(frozen=True)
class Workspace:
    """The frames, the ranker and the database of one installation; each is read when it is first asked for.

    Frames are those of the last run, and people have the same positions in all arrays: the rows of `profiles`.
    """

    settings: Settings

    def read_frame(self, asset: str) -> pd.DataFrame:
        """The frame that an asset left. Raises InputError if it never ran."""
        path = ShardStore(base=store_url(self.settings)).get_frame_path(asset)
        if not path.exists():
            raise InputError(
                f"there is no {path}: run `make demo`, or load people and `matching run`, with the same MATCHING_HOME"
            )
        return convert_from_table(read_table(path))

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
        """A row a decision: viewer_id, candidate_id, liked, decided_at, group, fold."""
        return self.read_frame("training_pairs")

    @cached_property
    def answers(self) -> AnswerEmbeddings:
        """The embedded answers."""
        return load_answers(self.read_frame("profile_embeddings"))

    @cached_property
    def rankers(self) -> CrossFittedRanker:
        """The rankers that scored the candidates: the whole one, and those fitted without a fold.

        Raises RankerLost if MLflow has lost them.
        """
        try:
            return build_registry(self.settings).load_rankers(self.read_frame("scored_candidates")["ranker_version"][0])
        except RankerLost as error:
            raise RankerLost(f"{error}; restore them, or run the pipeline again with `matching run`") from error

    @cached_property
    def context(self) -> ScoringContext:
        """Everybody as the ranker sees them."""
        return build_scoring_context(self.rankers.full, self.profiles, self.interactions, NO_BLOCKS, self.answers)

    @cached_property
    def scored(self) -> ScoredPairs:
        """Everybody's scored candidates."""
        return load_scored_pairs(self.read_frame("scored_candidates")["url"], pd.Index(self.profiles["profile_id"]))

    @cached_property
    def lists(self) -> pd.DataFrame:
        """A row a viewer (see models.ml.scoring.list_frames)."""
        return self.read_frame("match_lists")

    @cached_property
    def market(self) -> MarketGraph:
        """The scored candidates as the market graph that the lists were made from."""
        return build_graph(self.scored, self.profiles)

    @cached_property
    def attention(self) -> AttentionModel:
        """What the pipeline believes of how people look, if nobody configures it otherwise."""
        with open_database(self.settings) as engine, engine.connect() as connection:
            return MarketConfig.model_validate({}).build_attention(estimate_attention(connection))

    @cached_property
    def truth(self) -> Float64Array | None:
        """The true chance of each training pair, chemistry apart; None unless all live in one simulated town."""
        asked = find_truth(self.profiles, self.settings.home)
        return None if asked is None else asked(self.training_pairs)

    @cached_property
    def evaluation(self) -> pd.DataFrame | None:
        """The figures of the last `matching evaluate` (see models.ml.evaluation.evaluate); None if there was none."""
        try:
            return self.read_frame("ranker_evaluation")
        except InputError:
            return None

    def find_position(self, who: str) -> int:
        """The position of a person, by profile id or source key. Raises InputError if nobody has it."""
        found = self.profiles.index[(self.profiles["profile_id"] == who) | (self.profiles["source_key"] == who)]
        if not len(found):
            raise InputError(f"no profile of the last run has the id or source key {who!r}")
        return int(found[0])

    def pick_person(self) -> str:
        """The source key of somebody with a list of usual length: the first of those with at least the median."""
        places = self.lists["candidate_ids"].map(len)
        viewers = self.lists["viewer_id"][places >= places[places > 0].median()]
        return str(self.profiles.set_index("profile_id")["source_key"][viewers].min())

    def build_pairs(self, viewer: Int64Array, candidate: Int64Array) -> Pairs:
        """Pairs of positions, with what is known of their likes."""
        return self.context.build_pairs(viewer, candidate)

    def query(self, statement: str, **values: object) -> pd.DataFrame:
        """What a query answers, `:name` standing for a value. The transaction can read only."""
        with open_database(self.settings) as engine, engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            answer = connection.execute(text(statement), values)
            return pd.DataFrame(answer.all(), columns=list(answer.keys()))


def open_workspace() -> Workspace:
    """The home that the command `matching` uses. What no run left there raises InputError when it is asked for.

    Where MATCHING_HOME is not set, that is the folder .data of this folder or of the nearest one around it: notebooks
    run in a folder of their own.
    """
    here = get_settings()
    if "MATCHING_HOME" not in os.environ:
        around = [folder / DATA_FOLDER for folder in (Path.cwd(), *Path.cwd().parents)]
        here = here.model_copy(update={"home": next((data for data in around if data.is_dir()), around[0])})
    return Workspace(here)
