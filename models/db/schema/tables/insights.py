"""The table of schema `matching` that analysts read: figures of at least 20 people, and nothing of one person."""

from sqlalchemy import CheckConstraint, Column, Date, Double, Integer, Table, Text, UniqueConstraint

from models.db.schema.tables.columns import metadata

town_insights = Table(
    "town_insights",
    metadata,
    Column("month", Date, comment="first day of the month of the match; null: all months together"),
    Column("measure", Text, nullable=False),
    Column("cell", Text, nullable=False, comment="which of the measure's cells, such as a decile; all: the only one"),
    Column("value", Double, nullable=False),
    Column("low", Double, nullable=False, comment="end of the 95 % interval"),
    Column("high", Double, nullable=False),
    Column("people", Integer, nullable=False, comment="distinct people behind the figure"),
    CheckConstraint("people >= 20", name="enough_people"),
    UniqueConstraint("month", "measure", "cell", postgresql_nulls_not_distinct=True),
    schema="matching",
)
