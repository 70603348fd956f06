"""Where the video processes keep things, and what they need of all settings."""

from pathlib import Path
from typing import Final

from command.settings import Settings
from streams import wire
from streams.gb28181.messages import GbConfig
from streams.health.messages import HealthConfig

FOLDER: Final = "video"


def video_settings(settings: Settings) -> wire.VideoSettings:
    """Return what the video processes need of all settings."""
    own = settings.video
    networks = settings.cameras.allowed_networks
    protocols = tuple(settings.cameras.allowed_protocols)
    files = None if own.file_folder is None else str(own.file_folder.resolve())
    gb = None
    if own.gb.enabled:
        gb = GbConfig(
            host=own.gb.host,
            port=own.gb.port,
            public_host=own.gb.public_host,
            server_id=own.gb.server_id,
            realm=own.gb.realm,
            networks=networks,
            folder=str((settings.data_dir / FOLDER / "gb28181").resolve()),
        )
    health = None
    if own.health.enabled:
        health = HealthConfig(
            cameras=(),
            folder=str(pictures_folder(settings)),
            interval_s=own.health.interval_s,
            parallel=own.health.parallel,
            per_host_per_s=own.health.per_host_per_s,
            confirm=own.health.confirm,
            networks=networks,
            protocols=protocols,
            files=files,
        )
    return wire.VideoSettings(
        workers=own.workers,
        networks=networks,
        protocols=protocols,
        files=files,
        linger_s=own.linger_s,
        opens_per_host_per_s=own.opens_per_host_per_s,
        ring_s=own.ring_s,
        ring_bytes=own.ring_mb << 20,
        transcodes=own.transcodes,
        gb=gb,
        health=health,
        log_level=settings.log.level,
    )


def pictures_folder(settings: Settings) -> Path:
    """Return where the health sweep leaves its pictures."""
    return (settings.data_dir / FOLDER / "pictures").resolve()
