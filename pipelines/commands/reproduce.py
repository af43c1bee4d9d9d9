"""Train a registered ranker again on the data that was kept for it, and compare the two."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from models.db.settings import Settings
from models.ml.profiles.encoders.opening import find_choice, open_encoder
from models.ml.ranker.ranker_model import CrossFittedRanker, save_rankers
from models.ml.training.train import train_ranker
from pipelines.definitions import build_registry
from pipelines.resources import ShardStore, choose_encoder
from pipelines.store.answer_shards import encode_again
from pipelines.store.frame_store import store_url
from pipelines.store.registry.training_data import DECISIONS, PROFILES, read_training_data


@dataclass(frozen=True)
class Reproduction:
    """A training that was repeated: the numbers of its data, and the files of the ranker that came out different."""

    profiles: int
    decisions: int
    files: int
    different: tuple[str, ...]


def reproduce_training(settings: Settings, version: str) -> Reproduction:
    """Train a version again with its seed on its data, and compare the files of the two rankers byte by byte.

    Raises:
        InputError: There is no such version, or its data or its encoder is no longer kept.
        RankerLost: Its files or its run cannot be read.
    """
    registry, store = build_registry(settings), ShardStore(base=store_url(settings))
    before, parameters = registry.load_rankers(version), registry.load_parameters(version)
    frames = read_training_data(UPath(store.base), version)
    encoder = open_encoder(find_choice(before.full.specification.encoder, choose_encoder(settings)))
    answers = encode_again(frames[PROFILES], store.get_shard_folder("profile_embeddings"), encoder)
    trained = train_ranker(
        frames[PROFILES],
        answers,
        frames[DECISIONS],
        int(parameters["seed"]),
        sensitive=parameters["use_race_and_ethnicity"] == "True",
    )
    old, new = _write_files(before), _write_files(trained.rankers)
    different = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return Reproduction(len(frames[PROFILES]), len(frames[DECISIONS]), len(old), tuple(different))


def _write_files(rankers: CrossFittedRanker) -> dict[str, bytes]:
    """Return the files of rankers by relative path."""
    with tempfile.TemporaryDirectory() as folder:
        save_rankers(rankers, Path(folder))
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}
