"""Check that the vectors of answers have length one."""

import dagster as dg
import numpy as np

from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from pipelines.checks.check_results import BLOCKED, ERROR, make_check_result
from pipelines.reports.plots import round_figures

# The vectors are float16.
ROUNDING = 0.01


def check_embeddings_normalised(answers: AnswerEmbeddings) -> dg.AssetCheckResult:
    """Check that each vector has length one, as the encoder returns; a failure is an error that blocks."""
    lengths = np.sqrt(np.einsum("ij,ij->i", answers.vectors, answers.vectors, dtype=np.float32))
    wrong = int((~(np.abs(lengths - 1) <= ROUNDING)).sum())
    least, most = (float(lengths.min()), float(lengths.max())) if len(lengths) else (1.0, 1.0)
    return make_check_result(
        check_name="embeddings_normalised",
        asset_key="profile_embeddings",
        passed=not wrong,
        severity=ERROR,
        said=f"{wrong:,} of {len(lengths):,} vectors are not of length one; "
        f"lengths are {least:.4f} to {most:.4f}{f'; {BLOCKED}' if wrong else ''}",
        figures=round_figures({"shortest": least, "longest": most}),
    )
