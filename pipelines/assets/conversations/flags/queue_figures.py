"""Figures of the review queue, by what reviewers decided within 30 days. They are counts, shares and hours only."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

# Of reports of a message that a reviewer upheld: which messages a program had flagged as well.
FIGURES = """
SELECT count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state IN ('upheld', 'dismissed') AND flagged) AS decided_flags,
       count(*) FILTER (WHERE state = 'upheld' AND flagged) AS upheld_flags,
       count(*) FILTER (WHERE state = 'upheld' AND kind = 'report' AND message_id IS NOT NULL) AS upheld_messages,
       count(*) FILTER (WHERE state = 'upheld' AND kind = 'report' AND EXISTS (
           SELECT FROM matching.review_queue AS flag WHERE flag.message_id = entry.message_id AND flag.kind <> 'report'
       )) AS found_messages,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - created_at) / 3600.0)
           FILTER (WHERE decided_at IS NOT NULL) AS hours_to_decision,
       max(extract(epoch FROM now() - created_at) / 3600.0) FILTER (WHERE state = 'open') AS oldest_open_hours
FROM (SELECT *, kind NOT IN ('report', 'blocked') AS flagged FROM matching.review_queue) AS entry
"""


@dataclass(frozen=True)
class QueueFigures:
    """The state of the queue."""

    open: int
    waiting: int
    """Flags beyond the budget."""
    decided_flags: int
    upheld_flags: int
    upheld_messages: int
    """Reported messages of which a reviewer upheld the report."""
    found_messages: int
    """Those of them that a program had flagged."""
    hours_to_decision: float | None
    """Median."""
    oldest_open_hours: float | None

    @property
    def precision(self) -> float | None:
        """The share of decided flags that was upheld."""
        return self.upheld_flags / self.decided_flags if self.decided_flags else None

    @property
    def recall(self) -> float | None:
        """The share of upheld reported messages that the budget's flags held as well: a lower bound on recall."""
        return self.found_messages / self.upheld_messages if self.upheld_messages else None

    def describe(self) -> dict[str, float]:
        """Return all figures that are known, by name."""
        named = {**asdict(self), "precision": self.precision, "recall": self.recall}
        return {name: round(float(value), 4) for name, value in named.items() if value is not None}


def read_queue_figures(connection: Connection) -> QueueFigures:
    """Read the figures."""
    row = connection.execute(text(FIGURES)).one()
    hours = [None if value is None else float(value) for value in row[6:]]
    return QueueFigures(*row[:6], *hours)
