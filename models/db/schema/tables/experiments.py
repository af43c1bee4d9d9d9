"""The table of schema `matching` about experiments: who was in which arm, publication by publication."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from models.db.schema.tables.columns import make_profile_reference, metadata

experiment_assignments = Table(
    "experiment_assignments",
    metadata,
    Column("experiment", Text, primary_key=True),
    Column("publication_id", BigInteger, ForeignKey("matching.publications.id", ondelete="CASCADE"), primary_key=True),
    make_profile_reference("profile_id", primary_key=True),
    Column("arm", Text, nullable=False),
    Column(
        "unit_key", Text, nullable=False, comment="what was assigned as a whole: the profile, its region, the night"
    ),
    Index(None, "profile_id", "publication_id"),
    schema="matching",
)
