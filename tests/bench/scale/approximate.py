"""Where an approximate index would take over from going through everybody: an experiment, for who has hnswlib."""

import importlib
from functools import partial
from pathlib import Path

import numpy as np

from models.ml.candidates import MOST_CANDIDATES
from models.ml.cores import on_all_cores
from models.ml.people import Floats
from models.ml.retrieval import promise
from pipelines.home import Home
from tests.bench.figures import Figures
from tests.bench.scale.founding import settings_of
from tests.bench.scale.matching import Ints, clocked

LINKS, BUILD_BREADTH = 32, 200
BREADTHS = (300, 600, 1_200, 2_400)
VIEWERS = 256


def approximate(home: Path) -> Figures:
    """Processor milliseconds a viewer for the MOST_CANDIDATES of the largest pool, eligible or not, and the recall.

    Exactly by products and numpy.argpartition; by an HNSW graph (Malkov and Yashunin 2018) of inner products, for some
    breadths of the search. Nothing where hnswlib is not installed, as nothing here depends on it.
    """
    try:
        hnswlib = importlib.import_module("hnswlib")
    except ImportError:
        return {}
    here = Home(settings_of(home))
    town = here.population
    made = promise(here.rankers.whole, town.people, town.ledger, town.pools.order)
    kind = int(np.argmax(np.diff(town.pools.start)))
    of_kind = slice(*town.pools.start[kind : kind + 2])
    pool = town.pools.order[of_kind]
    keys, queries = made.keys[of_kind], made.queries[pool[:: max(len(pool) // VIEWERS, 1)][:VIEWERS]]
    spent, best = clocked(partial(_exactly, queries, keys))
    figures = {"HNSW, pool": float(len(pool)), "HNSW, exactly instead, ms a viewer": 1000 * spent[1] / len(queries)}
    index = hnswlib.Index(space="ip", dim=keys.shape[1])
    index.init_index(max_elements=len(keys), M=LINKS, ef_construction=BUILD_BREADTH)
    built, _ = clocked(partial(index.add_items, keys))
    figures["HNSW, to build, processor s"] = built[1]
    for breadth in BREADTHS:
        index.set_ef(breadth)
        spent, (found, _) = clocked(partial(index.knn_query, queries, k=MOST_CANDIDATES, num_threads=1))
        recall = np.mean([np.isin(mine, theirs).mean() for mine, theirs in zip(best, found, strict=True)])
        figures |= {
            f"HNSW, breadth {breadth}, ms a viewer": 1000 * spent[1] / len(queries),
            f"HNSW, breadth {breadth}, recall": recall,
        }
    return figures


def _exactly(queries: Floats, keys: Floats) -> Ints:
    def of_some(part: Floats) -> Ints:
        return np.argpartition(part @ keys.T, -MOST_CANDIDATES, axis=1)[:, -MOST_CANDIDATES:]

    return np.vstack(on_all_cores(of_some, np.array_split(queries, 2)))
