"""The tables, as SQLAlchemy Core sees them. `migrations` brings a database to this shape; a test compares."""

import sqlalchemy as sa

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""Facts about the log itself: its epoch, the district's name."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""The log. Appended to, never changed."""

boards = sa.Table(
    "boards",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("board", sa.LargeBinary, nullable=False),
)
"""Checkpoints: the board as it was after event ``seq``."""

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("actor", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("at", sa.String, nullable=False, index=True),
    sa.Column("answer", sa.LargeBinary, nullable=False),
)
"""Idempotency keys with the answer that was given, written in the same transaction as the effect."""

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("code", sa.String, nullable=False, index=True),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("category", sa.String, nullable=False),
    sa.Column("level", sa.String, nullable=False),
    sa.Column("grid", sa.String, index=True),
    sa.Column("reported_at", sa.String, nullable=False, index=True),
    sa.Column("closed_at", sa.String),
    sa.Column("lon", sa.Float, nullable=False),
    sa.Column("lat", sa.Float, nullable=False),
    sa.Column("entity", sa.LargeBinary, nullable=False),
)
"""Every incident ever, as it is now. Lists, search and statistics read this, never the log."""

assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("incident_id", sa.String, nullable=False, index=True),
    sa.Column("responder_id", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("dispatched_at", sa.String, nullable=False, index=True),
    sa.Column("entity", sa.LargeBinary, nullable=False),
)
"""Every assignment ever, as it is now."""

incident_events = sa.Table(
    "incident_events",
    metadata,
    sa.Column("incident_id", sa.String, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
)
"""Which events belong to an incident's timeline."""

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("incident_id", sa.String, primary_key=True),
    sa.Column("contact", sa.String, nullable=False),
    sa.Column("purge_at", sa.String, nullable=False, index=True),
)
"""Reporters' real contacts: never in the log, never on the feed, purged by policy."""

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("incident_id", sa.String, nullable=False, index=True),
    sa.Column("content_type", sa.String, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)
"""Photos by generated name; the files stand in the data folder."""

track_ticks = sa.Table(
    "track_ticks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("columns", sa.LargeBinary, nullable=False),
)
"""Positions as they came, one columnar row per tick, until compaction moves them to Parquet."""

camera_sources = sa.Table(
    "camera_sources",
    metadata,
    sa.Column("camera_id", sa.String, primary_key=True),
    sa.Column("source", sa.LargeBinary, nullable=False),
    sa.Column("secret", sa.LargeBinary),
    sa.Column("updated_at", sa.String, nullable=False),
)
"""Where each camera's media comes from, and its sealed password: never in the log, never on the feed."""

gb_devices = sa.Table(
    "gb_devices",
    metadata,
    sa.Column("device_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("secret", sa.LargeBinary),
    sa.Column("updated_at", sa.String, nullable=False),
)
"""GB/T 28181 devices that may register here, with their sealed passwords."""

viewings = sa.Table(
    "viewings",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.String, nullable=False, index=True),
    sa.Column("user_name", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("camera_id", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("purpose", sa.String),
    sa.Column("incident_id", sa.String, index=True),
    sa.Column("started_at", sa.String, nullable=False, index=True),
    sa.Column("ended_at", sa.String),
    sa.Column("cut", sa.Boolean, nullable=False, default=False),
)
"""Who watched which camera, when and why. ``cut``: the service ended before the viewer did."""

clips = sa.Table(
    "clips",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("camera_id", sa.String, nullable=False, index=True),
    sa.Column("incident_id", sa.String, index=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("note", sa.String, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("created_by_name", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False, index=True),
    sa.Column("started_at", sa.String),
    sa.Column("ended_at", sa.String),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("manifests", sa.LargeBinary, nullable=False),
)
"""Pictures kept as evidence; the files, each with its manifest, stand in the data folder."""

coverage_hours = sa.Table(
    "coverage_hours",
    metadata,
    sa.Column("area", sa.String, primary_key=True),
    sa.Column("hour", sa.String, primary_key=True, index=True),
    sa.Column("figures", sa.LargeBinary, nullable=False),
)
"""How the county, each township and each village were covered, once an hour."""

coverage_grids = sa.Table(
    "coverage_grids",
    metadata,
    sa.Column("hour", sa.String, primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("columns", sa.LargeBinary, nullable=False),
)
"""The same of all grids, one packed row an hour."""
