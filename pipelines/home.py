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

from models.db.engines import database
from models.db.errors import InputError, RankerLost
from models.db.settings import Settings, settings
from models.ml.candidates import Scored
from models.ml.embeddings import Answers
from models.ml.features import Pairs
from models.ml.history import Doubles, Ints
from models.ml.market import Attention, Town
from models.ml.market import town as market_of
from models.ml.population import Population, population
from models.ml.ranker import Rankers
from pipelines.attention import measure
from pipelines.encoding import load_answers
from pipelines.frame_store import from_table, read_table, store_url
from pipelines.loaders.truth import of_town
from pipelines.resources import ShardStore
from pipelines.scoring import load_scored

with warnings.catch_warnings():
    # In a notebook tqdm, which MLflow imports, asks for a package that draws its bars. Nothing here draws any.
    warnings.filterwarnings("ignore", "IProgress not found")
    from pipelines.assets.market import NO_BLOCKS, MarketConfig
    from pipelines.definitions import registry

DATA = ".data"


@dataclass(frozen=True)
class Home:
    """The frames, the ranker and the database of one installation; each is read when it is first asked for.

    Frames are those of the last run, and people have the same positions in all arrays: the rows of `profiles`.
    """

    settings: Settings

    def frame(self, asset: str) -> pd.DataFrame:
        """The frame that an asset left. Raises InputError if it never ran."""
        path = ShardStore(base=store_url(self.settings)).frame(asset)
        if not path.exists():
            raise InputError(
                f"there is no {path}: run `make demo`, or load people and `matching run`, with the same MATCHING_HOME"
            )
        return from_table(read_table(path))

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """The accepted profiles (see models.ml.frames)."""
        return self.frame("profiles")

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """The accepted likes and passes."""
        return self.frame("interactions")

    @cached_property
    def training_pairs(self) -> pd.DataFrame:
        """A row a decision: viewer_id, candidate_id, liked, decided_at, group, fold."""
        return self.frame("training_pairs")

    @cached_property
    def answers(self) -> Answers:
        """The embedded answers."""
        return load_answers(self.frame("profile_embeddings"))

    @cached_property
    def rankers(self) -> Rankers:
        """The rankers that scored the candidates: the whole one, and those fitted without a fold.

        Raises RankerLost if MLflow has lost them.
        """
        try:
            return registry(self.settings).load(self.frame("scored_candidates")["ranker_version"][0])
        except RankerLost as error:
            raise RankerLost(f"{error}; restore them, or run the pipeline again with `matching run`") from error

    @cached_property
    def population(self) -> Population:
        """Everybody as the ranker sees them."""
        return population(self.rankers.whole, self.profiles, self.interactions, NO_BLOCKS, self.answers)

    @cached_property
    def scored(self) -> Scored:
        """Everybody's scored candidates."""
        return load_scored(self.frame("scored_candidates")["url"], pd.Index(self.profiles["profile_id"]))

    @cached_property
    def lists(self) -> pd.DataFrame:
        """A row a viewer (see models.ml.lists)."""
        return self.frame("match_lists")

    @cached_property
    def market(self) -> Town:
        """The scored candidates laid out for the market, as the lists were made from them."""
        keys = pd.util.hash_array(self.profiles["profile_id"].to_numpy(object))
        pairs = self.scored
        return market_of(pairs.viewer, pairs.candidate, pairs.p_like, pairs.p_liked_back, keys)

    @cached_property
    def attention(self) -> Attention:
        """What the pipeline believes of how people look, if nobody configures it otherwise."""
        with database(self.settings) as engine, engine.connect() as connection:
            return MarketConfig.model_validate({}).attention(measure(connection))

    @cached_property
    def truth(self) -> Doubles | None:
        """The true chance of each training pair, chemistry apart; None unless all live in one simulated town."""
        asked = of_town(self.profiles, self.settings.home)
        return None if asked is None else asked(self.training_pairs)

    @cached_property
    def evaluation(self) -> pd.DataFrame | None:
        """The figures of the last `matching evaluate` (see models.ml.evaluation.evaluate); None if there was none."""
        try:
            return self.frame("ranker_evaluation")
        except InputError:
            return None

    def position(self, who: str) -> int:
        """The position of a person, by profile id or source key. Raises InputError if nobody has it."""
        found = self.profiles.index[(self.profiles["profile_id"] == who) | (self.profiles["source_key"] == who)]
        if not len(found):
            raise InputError(f"no profile of the last run has the id or source key {who!r}")
        return int(found[0])

    def somebody(self) -> str:
        """The source key of somebody with a list of usual length: the first of those with at least the median."""
        places = self.lists["candidate_ids"].map(len)
        viewers = self.lists["viewer_id"][places >= places[places > 0].median()]
        return str(self.profiles.set_index("profile_id")["source_key"][viewers].min())

    def pairs(self, viewer: Ints, candidate: Ints) -> Pairs:
        """Pairs of positions, with what is known of their likes."""
        return Pairs(self.population.people, viewer, candidate, self.population.ledger.of(viewer, candidate))

    def query(self, statement: str, **values: object) -> pd.DataFrame:
        """What a query answers, `:name` standing for a value. The transaction can read only."""
        with database(self.settings) as engine, engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            answer = connection.execute(text(statement), values)
            return pd.DataFrame(answer.all(), columns=list(answer.keys()))


def open_home() -> Home:
    """The home that the command `matching` uses. What no run left there raises InputError when it is asked for.

    Where MATCHING_HOME is not set, that is the folder .data of this folder or of the nearest one around it: notebooks
    run in a folder of their own.
    """
    here = settings()
    if "MATCHING_HOME" not in os.environ:
        around = [folder / DATA for folder in (Path.cwd(), *Path.cwd().parents)]
        here = here.model_copy(update={"home": next((data for data in around if data.is_dir()), around[0])})
    return Home(here)
