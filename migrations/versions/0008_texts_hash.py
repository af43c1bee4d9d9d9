"""What each vector was made from, so that an edit is noticed whatever its stamp.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COMMENT = "jsonb_hash_extended of the texts it was made from; null: to be compared"


def upgrade() -> None:
    op.add_column("embeddings", sa.Column("texts_hash", sa.BigInteger(), comment=COMMENT), schema="matching")


def downgrade() -> None:
    op.drop_column("embeddings", "texts_hash", schema="matching")
