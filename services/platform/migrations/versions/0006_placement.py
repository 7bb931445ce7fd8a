"""where on a cluster the runs of a tier may be put"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.core import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("hardware_tiers", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("node_selector", columns.Json(), server_default="{}", nullable=False)
        )
        batch_op.add_column(
            sa.Column("tolerations", columns.Json(), server_default="[]", nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "gpu_resource",
                sa.String(length=317),
                server_default="nvidia.com/gpu",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column("shared_memory", sa.BigInteger(), server_default="0", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("hardware_tiers", schema=None) as batch_op:
        for name in ("shared_memory", "gpu_resource", "tolerations", "node_selector"):
            batch_op.drop_column(name)
