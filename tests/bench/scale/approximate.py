"""Where an approximate index would take over from going through everybody: an experiment, for who has hnswlib."""

import importlib
from functools import partial
from pathlib import Path

import numpy as np

from models.ml.arrays import Float32Array, Int64Array
from models.ml.kernels.parallel import parallel_map
from models.ml.scoring.candidates import MAX_CANDIDATES
from models.ml.scoring.retrieval import build_retrieval_vectors
from pipelines.workspace import Workspace
from tests.bench.figures import Figures
from tests.bench.scale.founding import settings_of
from tests.bench.scale.matching import clocked

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
    here = Workspace(settings_of(home))
    town = here.context
    made = build_retrieval_vectors(town)
    kind = int(np.argmax(np.diff(town.pools.start)))
    of_kind = slice(*town.pools.start[kind : kind + 2])
    pool = town.pools.order[of_kind]
    keys, queries = made.items[of_kind], made.queries[pool[:: max(len(pool) // VIEWERS, 1)][:VIEWERS]]
    spent, best = clocked(partial(_exactly, queries, keys))
    figures = {"HNSW, pool": float(len(pool)), "HNSW, exactly instead, ms a viewer": 1000 * spent[1] / len(queries)}
    index = hnswlib.Index(space="ip", dim=keys.shape[1])
    index.init_index(max_elements=len(keys), M=LINKS, ef_construction=BUILD_BREADTH)
    built, _ = clocked(partial(index.add_items, keys))
    figures["HNSW, to build, processor s"] = built[1]
    for breadth in BREADTHS:
        index.set_ef(breadth)
        spent, (found, _) = clocked(partial(index.knn_query, queries, k=MAX_CANDIDATES, num_threads=1))
        recall = np.mean([np.isin(mine, theirs).mean() for mine, theirs in zip(best, found, strict=True)])
        figures |= {
            f"HNSW, breadth {breadth}, ms a viewer": 1000 * spent[1] / len(queries),
            f"HNSW, breadth {breadth}, recall": recall,
        }
    return figures


def _exactly(queries: Float32Array, keys: Float32Array) -> Int64Array:
    def of_some(part: Float32Array) -> Int64Array:
        return np.argpartition(part @ keys.T, -MAX_CANDIDATES, axis=1)[:, -MAX_CANDIDATES:]

    return np.vstack(parallel_map(of_some, np.array_split(queries, 2)))
