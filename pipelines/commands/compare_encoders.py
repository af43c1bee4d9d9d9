"""Compare the encoder of the settings with another one on the people of the app tables."""

import pandas as pd
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from models.ml.evaluation.monitoring.encoder_comparison import EncoderComparison, EncoderFigures, compare_encoders
from models.ml.features.training_pairs import build_training_pairs
from models.ml.profiles.answer_encoding import encode_profiles
from models.ml.profiles.encoders.opening import EncoderChoice, open_encoder
from models.ml.profiles.frame_contracts import check_interactions, check_profiles
from models.ml.profiles.no_answers import remove_no_answers
from pipelines.assets.extract import read_interactions, read_profiles


def compare_on_people(
    connection: Connection, ours: EncoderChoice, theirs: EncoderChoice, seed: int
) -> EncoderComparison:
    """Compare two encoders on all people and decisions of the app tables; nothing is stored.

    Raises:
        InputError: There is no such encoder, or it cannot be loaded.
    """
    encoders = [open_encoder(choice) for choice in (ours, theirs)]
    everybody, _ = remove_no_answers(read_profiles(connection))
    profiles, _ = check_profiles(everybody)
    ids = pd.Index(profiles["profile_id"])
    interactions, _ = check_interactions(read_interactions(connection), frozenset(ids))
    first, second = (encode_profiles(profiles, each) for each in encoders)
    return compare_encoders(profiles, build_training_pairs(interactions, ids), first, second, seed)


def show_comparison(found: EncoderComparison, console: Console) -> None:
    """Print the figures of both encoders, and what the other one would change."""
    table = Table("encoder", "dimensions", "answers read", "AUC within viewers", box=None)
    for each in (found.ours, found.theirs):
        table.add_row(each.encoder, str(each.dimensions), f"{each.answers:,}", _describe(each))
    console.print(table)
    console.print(f"of ten nearest people, {found.shared:.0%} are the same by both")
    console.print(f"AUC of {found.theirs.encoder} less that of the other: {found.gain:+.4f} ± {found.gain_error:.4f}")


def _describe(figures: EncoderFigures) -> str:
    return f"{figures.auc:.4f} ± {figures.auc_error:.4f}"
