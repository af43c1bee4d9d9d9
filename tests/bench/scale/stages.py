"""Encoding, trees and publication, each beside the fastest thing that does the same work."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm as lgb
import numpy as np
import psycopg
from sqlalchemy import Engine, create_engine

from models.db.engines import convert_to_libpq_url, resolve_database_url
from models.db.match_lists import MatchList
from models.db.publications import publish_match_lists
from models.db.publications.partitions import fill_partition, name_partition
from models.ml.features.pair_features import Pairs, build_features
from models.ml.kernels.similarity import compute_cosines
from models.ml.kernels.top_k import keep_top_k
from models.ml.profiles.answer_encoding import extract_answers
from models.ml.profiles.encoders.opening import MINILM, open_encoder
from models.ml.profiles.encoders.sentence_encoder import MAX_BATCH, SentenceEncoder
from models.ml.ranker.quick_scorer import build_quick_scorer
from models.ml.ranker.tree_arrays import extract_trees
from models.ml.scoring.candidates import select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.store.answer_shards import EncodingTask, encode_shard
from pipelines.workspace import Workspace
from tests.bench.figures import Figures, clocked
from tests.bench.scale.founding import settings_of

ENCODED = "encoded a second"
ENCODING = "encoding over the bare encoder"
TREES = "compiled trees"
PREDICTING = f"{TREES} over the fastest runtime"
PUBLISHING = "bare COPY over publication"
STORING = "bare COPY over storing the lists"

ROUNDS = 3  # of encoding
REPEATS = 7  # of each loop, in turn
PAIRS, VIEWERS = 32_768, 1_000  # as many viewers as have so many pairs, where pools are large
MOST = 300
CHUNK = 1 << 17
LISTS = """
SELECT viewer_id::text, candidate_ids::text[], p_like, p_liked_back, p_match, reasons::text
FROM matching.match_lists
WHERE publication_id = (SELECT id FROM matching.publications WHERE state = 'live')
"""


def encoding(home: Path, texts: int) -> Figures:
    """Texts a second as the pipeline encodes them and by the bare encoder, in turn, on different texts of a population
    that was run.
    """
    encoder = open_encoder(MINILM)
    assert isinstance(encoder, SentenceEncoder)
    answers = extract_answers(Workspace(settings_of(home)).profiles, encoder).drop_duplicates("text_hash")
    drawn = answers.sample(min(texts, len(answers)), random_state=1)
    ours, bare = np.zeros((2, 2))
    encoder.encode(["warm"])
    with TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            part = drawn.iloc[number::ROUNDS]
            task = EncodingTask(part.reset_index(drop=True), (), f"{folder}/{number}.parquet", MINILM)
            ours += clocked(partial(encode_shard, task))[0]
            bare += clocked(partial(encoder.model.encode, part["text"].tolist(), batch_size=MAX_BATCH))[0]
    return {
        "texts": len(drawn),
        ENCODED: float(len(drawn) / ours[0]),
        "by the bare encoder": float(len(drawn) / bare[0]),
        ENCODING: float(bare[0] / ours[0]),
        f"{ENCODING}, processor time": float(bare[1] / ours[1]),
    }


def predicting(home: Path) -> Figures:
    """Figures of a population that was run, with the ranker that scored it; none where that has no trees."""
    here = Workspace(settings_of(home))
    booster = here.rankers.full.booster
    return {} if booster is None else rates(booster, here.context)


def rates(booster: lgb.Booster, context: ScoringContext) -> Figures:
    """Rows a second on one core by QuickScorer and LightGBM, and the other compiled loops beside NumPy.

    Each has the features in its own order: QuickScorer by column, LightGBM by row.
    """
    viewers = np.arange(min(VIEWERS, len(context.profiles)))
    viewer, candidate = select_candidates(context, build_retrieval_vectors(context), viewers)
    pairs = context.build_pairs(viewer[:PAIRS], candidate[:PAIRS])
    features = build_features(context.ranker.specification, pairs)
    scorer, by_row = build_quick_scorer(extract_trees(booster)), np.ascontiguousarray(features)
    seconds = _least_seconds(
        {
            TREES: lambda: scorer.predict(features),
            "LightGBM": lambda: booster.predict(by_row, raw_score=True, num_threads=1),
        }
    )
    found = {f"{name}, rows/s": len(features) / each for name, each in seconds.items()}
    share = found[f"{TREES}, rows/s"] / max(found.values())
    return {"trees": booster.num_trees(), **found, PREDICTING: share, **_loops(context, pairs)}


def _least_seconds(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The least processor seconds of each in some rounds that they share, as others may use the machine."""
    least = dict.fromkeys(ways, np.inf)
    for _ in range(REPEATS):
        for name, work in ways.items():
            start = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - start)
    return least


def _loops(context: ScoringContext, pairs: Pairs) -> Figures:
    """How many times as fast the other compiled loops are as NumPy."""
    texts = context.profiles.texts
    eligible, keys = np.ones((64, len(context.profiles)), bool), np.arange(len(context.profiles))
    most = min(MOST, len(context.profiles))
    scores = np.random.default_rng(1).normal(size=eligible.shape).astype(np.float32)

    def plain_cosines() -> object:
        one, other = texts[pairs.viewer, 0], texts[pairs.candidate, 0]
        unknown = ~(one.any(axis=1) & other.any(axis=1))
        return np.where(unknown, 0.5, np.einsum("ij,ij->i", one.astype(np.float32), other.astype(np.float32)))

    def plain_selection() -> object:
        ranks = np.where(eligible, np.rint(scores / 1e-5).astype(np.int64) << 32 | keys, np.iinfo(np.int64).min)
        return ranks >= np.partition(ranks, -most, axis=1)[:, -most, None]

    seconds = _least_seconds(
        {
            "cosines": lambda: compute_cosines(texts, 0, pairs.viewer, pairs.candidate, 0.5),
            "cosines by NumPy": plain_cosines,
            "selection": lambda: keep_top_k(eligible.copy(), scores, np.zeros(64, np.int64), keys, most),
            "selection by NumPy": plain_selection,
        }
    )
    return {f"{name} over NumPy": seconds[f"{name} by NumPy"] / seconds[name] for name in ("cosines", "selection")}


def publishing(home: Path) -> Figures:
    """Seconds of publishing the live lists once more, of only storing them, and of the binary COPY of the same bytes
    into a table without keys.
    """
    url = resolve_database_url(settings_of(home))
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        lists = [MatchList(*row) for row in connection.execute(LISTS)]
        engine = create_engine(url)
        publish = partial(publish_match_lists, engine, lists, ranker_version="1", encoder="none", metrics={})
        today = date.today()  # noqa: DTZ011 - the database's current_date
        spent, made = clocked(partial(publish, as_of=today, scored_at=datetime.now(UTC)))
        storing, _ = clocked(partial(_store, engine, made.id + 1, lists))
        engine.dispose()
        with connection.cursor().copy(f"COPY {name_partition(made.id)} TO STDOUT (FORMAT BINARY)") as copy:
            stored = b"".join(bytes(part) for part in copy)
        connection.execute("CREATE TABLE bare (LIKE matching.match_lists)")
        bare, _ = clocked(partial(_copy, connection, stored))
    figures = {
        "publication, s": spent[0],
        "of that storing the lists, s": storing[0],
        "bare COPY, s": bare[0],
        STORING: bare[0] / storing[0],
        PUBLISHING: bare[0] / spent[0],
        "MB": len(stored) / 1e6,
        "pairs": made.pair_count,
    }
    return {name: float(value) for name, value in figures.items()}


def _store(engine: Engine, publication_id: int, lists: list[MatchList]) -> None:
    with engine.connect() as connection:
        fill_partition(connection, publication_id, lists)
        connection.rollback()


def _copy(connection: psycopg.Connection, stored: bytes) -> None:
    with connection.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
        for start in range(0, len(stored), CHUNK):
            copy.write(stored[start : start + CHUNK])
