"""Train the classifiers of flags on public data, and print how good they are."""

from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from models.db.errors import InputError
from models.ml.conversations.flags.flag_messages import ABUSE, ADVERTISEMENT
from models.ml.conversations.flags.flag_model import FlagModel, load_flag_model, save_flag_model
from models.ml.conversations.flags.flag_training import (
    FlagQuality,
    Messages,
    encode_messages,
    join_messages,
    measure_flags,
    train_on_messages,
    train_with_own_ordinary,
)
from models.ml.conversations.flags.rules import match_rules
from pipelines.loaders import flag_data
from pipelines.loaders.flag_data import Labelled, SuiteCase

ORDINARY = 2_500
"""Ordinary messages among the training data."""


def train_flag_models(data: Path, models: Path, console: Console) -> None:
    """Train a classifier of abuse and one of advertisements, store them, and print the figures of both.

    Args:
        data: Folder of the public data.
        models: Folder of the classifiers.
        console: Where the figures are printed.

    Raises:
        InputError: A file of the data is missing or is not as published.
    """
    training, held_out = encode_labelled(flag_data.read_convabuse(data, "train")), read_ordinary(data)
    trained = train_on_messages(join_messages(training, read_ordinary_training(data)), held_out)
    save_flag_model(trained, models, ABUSE)
    tested = encode_labelled(flag_data.read_convabuse(data, "valid"))
    print_quality(console, "abuse, on ConvAbuse's validation part", measure_flags(trained, tested))
    advertisement, quality = train_with_own_ordinary(encode_labelled(flag_data.read_sms(data)))
    save_flag_model(advertisement, models, ADVERTISEMENT)
    print_quality(console, "advertisement, on text messages, out of fold", quality)


def print_report_card(data: Path, models: Path, console: Console) -> None:
    """Print the share of each function of HateCheck that the rules and the stored classifier of abuse flag.

    Raises:
        InputError: The suite is missing, or no classifier is stored.
    """
    model = load_flag_model(models, ABUSE)
    if model is None:
        raise InputError(f"there is no classifier in {models}: train it with `matching train-flags`")
    table = Table("function", "cases", "hateful", "rules", "classifier", "either", box=None)
    for row in grade_suite(flag_data.read_hatecheck(data), model).to_dict("records"):
        shares = (f"{row[name]:.0%}" for name in ("rules", "classifier", "either"))
        table.add_row(str(row["function"]), str(row["cases"]), "yes" if row["hateful"] else "no", *shares)
    console.print(table)


def grade_suite(cases: list[SuiteCase], model: FlagModel) -> pd.DataFrame:
    """Grade the rules and a classifier on a test suite.

    Returns:
        A frame, one row for each function: function, cases, hateful, and the shares rules, classifier and either.
    """
    texts = [case.text for case in cases]
    frame = pd.DataFrame(
        {
            "function": [case.function for case in cases],
            "hateful": [case.hateful for case in cases],
            "rules": [bool(match_rules(text)) for text in texts],
            "classifier": model.predict(texts) > model.threshold,
        }
    )
    frame["either"] = frame["rules"] | frame["classifier"]
    found: dict[str, tuple[str, str]] = {
        "cases": ("hateful", "size"),
        "hateful": ("hateful", "first"),
        **{name: (name, "mean") for name in ("rules", "classifier", "either")},
    }
    return frame.groupby("function", sort=False).agg(**found).reset_index()


def encode_labelled(labelled: Labelled) -> Messages:
    """Encode labelled texts."""
    return encode_messages([body for body, _ in labelled], np.array([label for _, label in labelled], np.bool_))


def read_ordinary_training(data: Path) -> Messages:
    """Read and encode the ordinary messages to train on: evenly spaced ones of the training dialogues."""
    texts = flag_data.read_casino(data, "train")
    spaced = np.linspace(0, len(texts) - 1, min(ORDINARY, len(texts)), dtype=np.int64)
    return _encode_ordinary([texts[index] for index in spaced])


def read_ordinary(data: Path) -> Messages:
    """Read and encode the ordinary messages of dialogues that no classifier is trained on."""
    return _encode_ordinary([text for part in ("valid", "test") for text in flag_data.read_casino(data, part)])


def print_quality(console: Console, name: str, quality: FlagQuality) -> None:
    """Print the figures of a classifier."""
    console.print(
        f"{name}: AUC {quality.auc:.4f}, F1 {quality.f1:.2f}, "
        f"recall {quality.recall:.2f} at 1 flag in 1,000 ordinary messages"
    )


def _encode_ordinary(texts: list[str]) -> Messages:
    return encode_messages(texts, np.zeros(len(texts), np.bool_))
