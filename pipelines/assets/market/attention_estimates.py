"""Estimate how users examine lists and inboxes, from what they saw of the publications that are kept."""

from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection, text
from upath import UPath

from models.ml.market.attention.examination_curve import DEFAULT_CURVE, Curve
from models.ml.market.attention.examination_estimate import estimate_curve
from models.ml.market.attention.inbox_weight import UNMEASURED, InboxWeight, measure_inbox_weight, move_inbox_weight
from pipelines.assets.market.offered_cards import read_inbox_cards, read_list_cards
from pipelines.store.frame_store import read_table, write_table

ATTENTION_FRAME = "attention"
"""The frame of the inbox weight that lists were made with. `publication` stores it with the lists."""
# A publication that was rolled back is not followed, nor is its weight.
LAST_WEIGHT = """
SELECT (metrics ->> 'inbox_weight')::float8, (metrics ->> 'inbox_weight_error')::float8 FROM matching.publications
WHERE state IN ('live', 'retired') AND metrics ?& '{inbox_weight,inbox_weight_error}' AND NOT metrics ? 'rolled_back_at'
ORDER BY activated_at DESC LIMIT 1
"""


@dataclass(frozen=True)
class AttentionEstimate:
    """The examination of lists and inboxes as far as logs show it.

    Attributes:
        lists: Examination curve of lists.
        inbox_weight: How far to trust that examination falls along an inbox, 0 to 1.
        inbox_weight_error: Standard error of the weight.
        list_source: What the curve of lists is known from: "views", "actions" (likes and passes) or "assumed".
        list_cards: Number of cards behind the curve of lists.
        inbox_source: What the latest change of the inbox weight is known from; "assumed": there was none to learn from.
        inbox_cards: Number of cards behind the latest change of the inbox weight.
    """

    lists: Curve = DEFAULT_CURVE
    inbox_weight: float = UNMEASURED.weight
    inbox_weight_error: float = UNMEASURED.standard_error
    list_source: str = "assumed"
    list_cards: int = 0
    inbox_source: str = "assumed"
    inbox_cards: int = 0


def estimate_attention(connection: Connection) -> AttentionEstimate:
    """Estimate the curve of lists, and move the inbox weight of the last publication by what receivers did since.

    Lists are those of all publications that are kept. Inboxes are those of the live one, so that what was examined
    moves the weight once. Where likes are secret, there is no inbox, and the weight stays as it is.
    """
    lists, inboxes = read_list_cards(connection), read_inbox_cards(connection)
    weight = move_inbox_weight(_read_last_weight(connection), measure_inbox_weight(inboxes.cards))
    curve = estimate_curve(lists.cards, DEFAULT_CURVE).examination if lists.counted else DEFAULT_CURVE
    return AttentionEstimate(
        lists=curve,
        inbox_weight=weight.weight,
        inbox_weight_error=weight.standard_error,
        list_source=lists.source,
        list_cards=lists.counted,
        inbox_source=inboxes.source,
        inbox_cards=inboxes.counted,
    )


def build_attention_metadata(estimate: AttentionEstimate) -> dict[str, str | float]:
    """Return the figures of an estimate by name, without the curve: for metadata of assets."""
    return {name: value for name, value in vars(estimate).items() if name != "lists"}


def store_attention(estimate: AttentionEstimate, path: UPath) -> None:
    """Store the figures of the estimate that lists are made with."""
    write_table(pa.table({name: [value] for name, value in build_attention_metadata(estimate).items()}), path)


def read_attention_metrics(path: UPath) -> dict[str, float]:
    """Read the inbox weight of stored lists, as metrics of their publication; none if it was not stored."""
    try:
        rows = read_table(path).to_pylist()
    except FileNotFoundError:
        return {}
    return {name: rows[0][name] for name in ("inbox_weight", "inbox_weight_error")}


def _read_last_weight(connection: Connection) -> InboxWeight:
    found = connection.execute(text(LAST_WEIGHT)).one_or_none()
    return UNMEASURED if found is None else InboxWeight(*found)
