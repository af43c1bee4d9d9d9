"""Encoding as the pipeline does it, beside the bare encoder on the same texts."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from models.ml.profiles.encoder import BATCH_SIZE, _load_model
from pipelines.store.answer_shards import EncodingTask, encode_shard, extract_answers
from pipelines.workspace import Workspace
from tests.bench.figures import Figures
from tests.bench.scale.founding import settings_of
from tests.bench.scale.matching import clocked

ROUNDS = 3
RATE = "encoded a second"
SHARE = "encoding over the bare encoder"


def encoding(home: Path, texts: int) -> Figures:
    """Texts a second of both on different texts drawn from a town that was run; they take turns, in parts."""
    answers = extract_answers(Workspace(settings_of(home)).profiles).drop_duplicates("text_hash")
    drawn = answers.sample(min(texts, len(answers)), random_state=1)
    ours, bare = np.zeros(2), np.zeros(2)
    _load_model().encode(["warm"])
    with TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            part = drawn.iloc[number::ROUNDS]
            shard = EncodingTask(part.reset_index(drop=True), (), f"{folder}/{number}.parquet")
            ours += clocked(partial(encode_shard, shard))[0]
            bare += clocked(partial(_load_model().encode, part["text"].tolist(), batch_size=BATCH_SIZE))[0]
    return {
        "texts": len(drawn),
        RATE: float(len(drawn) / ours[0]),
        "by the bare encoder": float(len(drawn) / bare[0]),
        SHARE: float(bare[0] / ours[0]),
        f"{SHARE}, processor time": float(bare[1] / ours[1]),
    }
