"""Which encoder a name means, and a model of a folder: of other dimensions, found again by its files, or refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.db.errors import InputError
from models.ml.profiles.encoders.opening import (
    E5,
    MINILM,
    EncoderChoice,
    find_choice,
    name_encoder,
    open_encoder,
)
from models.ml.profiles.encoders.sentence_encoder import SentenceEncoder, choose_batch_size
from tests.support.encoders import save_untrained_encoder

SENTENCES = ["I bake bread every Sunday.", "My dog and I hike.", "law " * 300, "crème brûlée"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_untrained_encoder(tmp_path_factory.mktemp("models") / "e5-small-untrained")


def test_a_folder_is_an_encoder_of_its_own_dimensions(folder: Path) -> None:
    encoder = open_encoder(EncoderChoice(str(folder)))
    assert isinstance(encoder, SentenceEncoder)
    assert (encoder.dimensions, encoder.prefix, encoder.window_tokens) == (64, "query: ", 32 - 2 - 2)
    vectors = encoder.encode(SENTENCES)
    assert vectors.shape == (4, 64)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    whole = encoder.model.encode([f"query: {SENTENCES[0]}"])[0]
    np.testing.assert_allclose(vectors[0], whole / np.linalg.norm(whole), atol=1e-5)
    unbroken = encoder.split_into_windows("x" * 90 + "ab" * 40)
    assert "".join(unbroken) == "x" * 90 + "ab" * 40
    assert encoder.hash_text("law") != open_encoder(MINILM).hash_text("law")


def test_a_folder_is_found_again_by_its_files(folder: Path, tmp_path: Path) -> None:
    choice = EncoderChoice(str(folder), "cpu", "bfloat16")
    name = name_encoder(choice)
    assert name.startswith(f"{folder}@")
    assert find_choice(name, EncoderChoice(device="mps")) == EncoderChoice(str(folder), "mps")
    assert find_choice(MINILM.setting, choice) == EncoderChoice(MINILM.setting, "cpu", "bfloat16")
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / ".cache").write_text("no part of the model")
    same = name_encoder(EncoderChoice(str(copy)))
    assert same.rpartition("@")[2] == name.rpartition("@")[2]
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "config.json").write_text((other / "config.json").read_text() + "\n")
    assert name_encoder(EncoderChoice(str(other))).rpartition("@")[2] != name.rpartition("@")[2]
    with pytest.raises(InputError, match="not there any more"):
        find_choice(f"{folder}@000000000000", MINILM)


@pytest.mark.parametrize("name", ["intfloat/multilingual-e5-large-instruct", "BAAI/bge-m3", "fe5-small"])
def test_only_models_of_e5_want_its_prefix(name: str) -> None:
    assert E5.search(name) is None
    assert E5.search("intfloat/multilingual-e5-base")


@pytest.mark.parametrize("setting", ["no/such-model", "no such model at all"])
def test_what_is_no_encoder_is_named(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="MATCHING_ENCODER"):
        name_encoder(EncoderChoice(setting))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded"):
        open_encoder(EncoderChoice(str(tmp_path)))


def test_bfloat16_gives_nearly_the_same_vectors() -> None:
    exact, rounded = (open_encoder(EncoderChoice(precision=each)).encode(SENTENCES) for each in ("float32", "bfloat16"))
    cosines = np.einsum("ij,ij->i", exact, rounded)
    assert cosines.min() >= 0.999
    assert not np.array_equal(exact, rounded)


@pytest.mark.parametrize(("free", "text", "size"), [(0, 10, 1), (400, 10, 10), (10**12, 10, 64), (400, 0, 64)])
def test_a_batch_takes_a_quarter_of_the_free_memory(free: int, text: int, size: int) -> None:
    assert choose_batch_size(free, text) == size
