"""Pairs a second a core: trees by whoever can ask them, and what else is compiled beside the same in NumPy."""

import importlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import lightgbm as lgb
import numpy as np

from models.ml.arrays import Float32Array
from models.ml.features.pair_features import Pairs, build_features
from models.ml.kernels.similarity import compute_cosines
from models.ml.kernels.top_k import keep_top_k
from models.ml.ranker.quick_scorer import build_quick_scorer
from models.ml.ranker.tree_arrays import extract_trees
from models.ml.scoring.candidates import select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.workspace import Workspace
from tests.bench.figures import Figures
from tests.bench.scale.founding import settings_of

ROWS = 32_768
REPEATS = 7
MOST = 300
VIEWERS = 1_000  # as many as give so many rows, where pools are large
ONNX = "ONNX Runtime"
OURS = "compiled trees"
SHARE = f"{OURS} over the fastest runtime"


def predicting(home: Path) -> Figures:
    """Figures of a town that was run, with the ranker that scored it; none where that has no trees."""
    here = Workspace(settings_of(home))
    booster = here.rankers.full.booster
    return {} if booster is None else rates(booster, here.context)


def rates(booster: lgb.Booster, town: ScoringContext) -> Figures:
    """Rows a second of each, one core each, the best of some repeats in turn; ONNX Runtime only where it is there.

    Each has the features as it likes them best: we column by column, as they are made, the others row by row.
    """
    pairs = _pairs(town)
    features = build_features(town.ranker.specification, pairs)
    scorer, row_by_row = build_quick_scorer(extract_trees(booster)), np.ascontiguousarray(features)
    ways: dict[str, Callable[[], object]] = {
        OURS: lambda: scorer.predict(features),
        "LightGBM": lambda: booster.predict(row_by_row, raw_score=True, num_threads=1),
    }
    if (onnx := _onnx(booster, row_by_row)) is not None:
        ways[ONNX] = onnx
    found = {f"{name}, rows/s": len(features) / seconds for name, seconds in _best(ways).items()}
    fastest = max(found.values())
    return {"trees": booster.num_trees()} | found | {SHARE: found[f"{OURS}, rows/s"] / fastest} | _others(town, pairs)


def _pairs(town: ScoringContext) -> Pairs:
    """ROWS pairs as scoring has them: candidates of some viewers."""
    viewers = np.arange(min(VIEWERS, len(town.profiles)))
    viewer, candidate = select_candidates(town, build_retrieval_vectors(town), viewers)
    return town.build_pairs(viewer[:ROWS], candidate[:ROWS])


def _best(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Processor seconds of each, the least of some rounds in which all take turns: others may use the machine."""
    least = dict.fromkeys(ways, np.inf)
    for _ in range(REPEATS):
        for name, work in ways.items():
            start = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - start)
    return least


def _onnx(booster: lgb.Booster, features: Float32Array) -> Callable[[], object] | None:
    """The trees in ONNX Runtime; None where it or the converter is not installed, as nothing here depends on them."""
    try:
        runtime, converter = importlib.import_module("onnxruntime"), importlib.import_module("onnxmltools")
        kinds = importlib.import_module("onnxmltools.convert.common.data_types")
    except ImportError:
        return None
    runtime.set_default_logger_severity(4)
    shape = [("features", kinds.FloatTensorType([None, features.shape[1]]))]
    model = converter.convert_lightgbm(booster, initial_types=shape, zipmap=False)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"features": features})


def _others(town: ScoringContext, pairs: Pairs) -> Figures:
    """How many times as fast the other compiled loops are as the same in NumPy."""
    texts = town.profiles.texts
    random = np.random.default_rng(1)
    there, lots = np.ones((64, len(town.profiles)), bool), np.arange(len(town.profiles))
    numbers = random.normal(size=there.shape).astype(np.float32)

    def plain_cosines() -> object:
        one, other = texts[pairs.viewer, 0], texts[pairs.candidate, 0]
        unknown = ~(one.any(axis=1) & other.any(axis=1))
        return np.where(unknown, 0.5, np.einsum("ij,ij->i", one.astype(np.float32), other.astype(np.float32)))

    def plain_selection() -> object:
        ranks = np.where(there, np.rint(numbers / 1e-5).astype(np.int64) << 32 | lots, np.iinfo(np.int64).min)
        return ranks >= np.partition(ranks, -MOST, axis=1)[:, -MOST, None]

    seconds = _best(
        {
            "cosines": lambda: compute_cosines(texts, 0, pairs.viewer, pairs.candidate, 0.5),
            "cosines by NumPy": plain_cosines,
            "selection": lambda: keep_top_k(there.copy(), numbers, np.zeros(64, np.int64), lots, MOST),
            "selection by NumPy": plain_selection,
        }
    )
    return {f"{name} over NumPy": seconds[f"{name} by NumPy"] / seconds[name] for name in ("cosines", "selection")}
