"""The sections of the settings: unit in the field's name, bounds, and what it does in the description."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


def _checked_blocks(blocks: tuple[str, ...]) -> tuple[str, ...]:
    for block in blocks:
        ipaddress.ip_network(block)
    return blocks


class Section(BaseModel):
    """What every section is: frozen, checked, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class DistrictSettings(Section):
    """Which district this centre serves."""

    name: str = Field(
        default="", max_length=60, description="Name on the screens; empty: the imported district's own."
    )
    code: str = Field(
        default="",
        pattern=r"^\d{0,15}$",
        description="Division code of the whole district; empty: the imported one's.",
    )
    prefix: str = Field(
        default="",
        pattern=r"^[A-Z]{0,6}$",
        description="Letters before incident numbers; empty: the imported one's.",
    )
    timezone: str = Field(
        default="Asia/Shanghai", description="Time zone of incident numbers and daily figures (IANA)."
    )


class TelemetrySettings(Section):
    """Positions of responders."""

    tick_hz: float = Field(default=5.0, ge=0.2, le=20, description="Position frames per second to a browser.")


class DispatchSettings(Section):
    """Proposing and sending units."""

    answer_s: float = Field(
        default=30, ge=5, le=600, description="Seconds a unit has to answer before the next is offered."
    )
    arrival_radius_m: float = Field(
        default=100, ge=10, le=2000, description="Metres from the place that propose 'on scene'."
    )
    arrival_auto_s: float = Field(
        default=30,
        ge=0,
        le=600,
        description="Seconds after which a proposed 'on scene' holds unless refused.",
    )
    candidates: int = Field(
        default=5, ge=1, le=50, description="Units ranked for an incident unless asked otherwise."
    )
    routed_candidates: int = Field(
        default=3, ge=0, le=20, description="Of these, units whose route is drawn."
    )
    duplicate_radius_m: float = Field(
        default=150, ge=0, le=5000, description="Metres within which a report may be a double."
    )
    duplicate_window_s: float = Field(
        default=1800, ge=0, le=86_400, description="Seconds within which it may be a double."
    )


class SecuritySettings(Section):
    """Signing in, browsers and their limits."""

    public_origins: tuple[str, ...] = Field(
        default=(),
        description="Origins under which browsers reach the service, e.g. https://yiping.example; "
        "empty: only the address it listens on, localhost included.",
    )
    https: bool = Field(
        default=False,
        description="Browsers reach the service over HTTPS: the cookie gets __Host- and Secure.",
    )
    session_idle_hours: float = Field(
        default=12, ge=0.1, le=168, description="Hours without a request after which a session ends."
    )
    session_absolute_hours: float = Field(
        default=24, ge=0.5, le=720, description="Hours after which a session ends at all."
    )
    kiosk_absolute_hours: float = Field(
        default=8760,
        ge=1,
        le=87_600,
        description="Hours after which a wall must open its kiosk address again.",
    )
    max_sessions_per_user: int = Field(
        default=16, ge=1, le=1000, description="Sessions one account may hold; the oldest ends first."
    )
    login_free_tries: int = Field(
        default=5, ge=1, le=100, description="Wrong passwords per account and address before waiting starts."
    )
    login_max_wait_s: float = Field(
        default=60, ge=1, le=3600, description="Longest wait between two tries, in seconds."
    )
    login_forget_s: float = Field(
        default=900,
        ge=10,
        le=86_400,
        description="Seconds without a try after which wrong ones are forgotten.",
    )
    password_min_length: int = Field(default=8, ge=8, le=64, description="Shortest password accepted.")
    argon2_memory_kib: int = Field(
        default=19_456, ge=8192, le=1_048_576, description="Memory of one password hash, in KiB."
    )
    argon2_time_cost: int = Field(default=2, ge=1, le=20, description="Passes of one password hash.")
    argon2_parallelism: int = Field(default=1, ge=1, le=8, description="Lanes of one password hash.")
    max_body_bytes: int = Field(
        default=1_048_576, ge=1024, le=67_108_864, description="Largest request body, in bytes."
    )
    max_upload_bytes: int = Field(
        default=8_388_608, ge=1024, le=268_435_456, description="Largest uploaded photo, in bytes."
    )
    max_import_bytes: int = Field(
        default=536_870_912,
        ge=1_048_576,
        le=2_147_483_648,
        description="Largest file brought in over the web, in bytes.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses or CIDR blocks whose X-Forwarded-For is believed."
    )

    @field_validator("public_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, separator, rest = origin.partition("://")
            if (
                scheme not in {"http", "https"}
                or not separator
                or not rest
                or "/" in rest
                or rest != rest.strip()
            ):
                raise ValueError(f"{origin!r} is not an origin such as https://yiping.example:8443")
        return tuple(origin.lower() for origin in origins)

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_blocks(blocks)

    @model_validator(mode="after")
    def _absolute_after_idle(self) -> SecuritySettings:
        if self.session_absolute_hours < self.session_idle_hours:
            raise ValueError("session_absolute_hours must not be less than session_idle_hours")
        return self


class RetentionSettings(Section):
    """How long what is kept."""

    contact_days: int = Field(
        default=30, ge=1, le=3650, description="Days after closing when reporters' contacts are erased."
    )
    tracks_days: int = Field(
        default=30, ge=1, le=3650, description="Days that tracks of on-duty responders are kept."
    )
    board_hours: float = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours that finished incidents stay on the live board; the tables keep them.",
    )
    coverage_days: int = Field(
        default=180, ge=1, le=3650, description="Days that the hourly figures of coverage are kept."
    )
    viewing_log_days: int = Field(
        default=365,
        ge=180,
        le=3650,
        description="Days that it is kept who watched which camera, when and why.",
    )
    min_free_bytes: int = Field(
        default=268_435_456,
        ge=0,
        le=1_099_511_627_776,
        description="Free disk bytes below which readiness warns.",
    )


class TargetSettings(Section):
    """What the centre has set itself, shown beside the figures of the leaders' page; shares 0 to 1, 0 for none."""

    staffing_share: float = Field(default=0, ge=0, le=1, description="Grids with a worker of their own.")
    duty_share: float = Field(default=0, ge=0, le=1, description="Grids whose worker is on duty.")
    reach_share: float = Field(
        default=0.9, ge=0, le=1, description="Grids within reach, for the minutes of `reach_minutes`."
    )
    reach_minutes: int = Field(
        default=5, ge=1, le=30, description="Minutes within which they are to be in reach."
    )
    seen_share: float = Field(default=0, ge=0, le=1, description="Grids that a working camera sees.")
    people_online_share: float = Field(
        default=0, ge=0, le=1, description="People on duty whose phone reports its position."
    )
    completion_share: float = Field(default=0, ge=0, le=1, description="Accepted incidents that are done.")
    on_time_share: float = Field(
        default=0.95, ge=0, le=1, description="Incidents due that were done in time."
    )
    satisfaction_share: float = Field(
        default=0.95, ge=0, le=1, description="Rated incidents whose reporter was satisfied."
    )
    camera_online_share: float = Field(default=0.95, ge=0, le=1, description="Cameras that are online.")
    camera_intact_share: float = Field(
        default=0.95, ge=0, le=1, description="Cameras online whose picture is intact."
    )


class CameraSettings(Section):
    """Which addresses cameras may have."""

    allowed_networks: tuple[str, ...] = Field(
        default=(),
        description="CIDR blocks cameras may be in; empty: none may be added. The demo allows loopback.",
    )
    allowed_protocols: tuple[Literal["rtsp", "rtsps", "rtmp", "http-flv", "hls", "gb28181", "file"], ...] = (
        Field(default=("rtsp", "gb28181"), description="Protocols a camera source may name.")
    )

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_blocks(blocks)


class BasemapSettings(Section):
    """A customer's own tile server, if there is one."""

    allowed_networks: tuple[str, ...] = Field(
        default=(), description="CIDR blocks a tile server may be in; empty: none may be asked."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(),
        description="Names of tile servers whose public addresses may be asked as well; private addresses "
        "only inside the blocks above.",
    )
    timeout_s: float = Field(default=5, ge=0.5, le=60, description="Seconds a tile server has to answer.")
    fresh_days: float = Field(
        default=30, ge=0, le=3650, description="Days a fetched tile is not asked for again."
    )
    cache_bytes: int = Field(
        default=2_147_483_648,
        ge=0,
        le=1_099_511_627_776,
        description="Disk bytes for fetched tiles, which keep the map when its server does not answer; "
        "0 keeps none.",
    )
    max_archive_bytes: int = Field(
        default=4_294_967_296,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Largest PMTiles archive taken over the web, in bytes.",
    )

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_blocks(blocks)

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host or any(letter in host for letter in "/:*@ "):
                raise ValueError(f"{host!r} is not a host name such as tiles.example")
        return tuple(host.lower() for host in hosts)


class LogSettings(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line written."
    )
    format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or text for people."
    )


class Secrets(Section):
    """Only from the environment, e.g. ``YIPING_SECRETS__CAMERA_KEY``."""

    camera_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Key that encrypts stored camera credentials; none: one is made in the data folder "
        "(camera.key), which backups leave out: keep a copy elsewhere.",
    )
