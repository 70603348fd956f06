"""Coverage by the hour: areas above the grids, and all grids packed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "coverage_hours",
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("hour", sa.String(), nullable=False),
        sa.Column("figures", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("area", "hour"),
    )
    with op.batch_alter_table("coverage_hours", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coverage_hours_hour"), ["hour"], unique=False)
    op.create_table(
        "coverage_grids",
        sa.Column("hour", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("columns", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hour"),
    )
