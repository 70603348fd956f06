"""The tables of `command.accounts`: people, sessions, tokens, and the audit chain that may only grow."""

import sqlalchemy as sa
from sqlalchemy import event

from command.store.schema import metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("username", sa.String, nullable=False),
    sa.Column("username_key", sa.String, nullable=False, unique=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("area", sa.String),
    sa.Column("responder_id", sa.String),
    sa.Column("department", sa.String),
    sa.Column("password_hash", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("disabled_at", sa.String),
)
"""Accounts. ``username_key`` is the name without regard to case, so two cannot differ in case alone."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("token_hash", sa.String, nullable=False, unique=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("seen_at", sa.String, nullable=False),
    sa.Column("age_s", sa.Float, nullable=False),
    sa.Column("idle_s", sa.Float, nullable=False),
)
"""Live sessions; an ended one is deleted, the audit keeps that it was."""

device_tokens = sa.Table(
    "device_tokens",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("token_hash", sa.String, nullable=False, unique=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
    sa.Column("responder_id", sa.String, index=True),
    sa.Column("device_id", sa.String),
    sa.Column("area", sa.String),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("revoked_at", sa.String),
)
"""Tokens of trackers, integrations and walls; the hash only."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("object", sa.String, nullable=False),
    sa.Column("purpose", sa.String),
    sa.Column("data", sa.String, nullable=False),
    sa.Column("prev_hash", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)
"""The audit chain. Appended to, never changed: the triggers refuse what our own code would do by mistake."""

AUDIT_TRIGGERS = (
    "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END",
)
"""For SQLite; a migration that makes the table runs these too."""


def _protect(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    if connection.dialect.name == "sqlite":
        for statement in AUDIT_TRIGGERS:
            connection.exec_driver_sql(statement)


event.listen(audit, "after_create", _protect)
