"""The sections of the settings about video."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from command.setting_sections import Section


class GbSettings(Section):
    """The server for GB/T 28181 devices."""

    enabled: bool = Field(default=False, description="Devices may register here by GB/T 28181.")
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="Address that SIP listens on, UDP and TCP.",
    )
    port: int = Field(default=5060, ge=0, le=65_535, description="SIP port, UDP and TCP; 0 picks a free one.")
    public_host: str = Field(
        default="", max_length=255, description="Address that devices send to; empty: the one it listens on."
    )
    server_id: str = Field(
        default="34020000002000000001", pattern=r"^\d{20}$", description="This platform's 20 digits."
    )
    realm: str = Field(
        default="",
        pattern=r"^[\w.-]{0,64}$",
        description="SIP domain; empty: the first ten digits of server_id.",
    )


class HealthSettings(Section):
    """Looking at every camera's picture in turn."""

    enabled: bool = Field(default=True, description="The pictures of all cameras are looked at in turn.")
    interval_s: float = Field(
        default=300, ge=10, le=86_400, description="Seconds between two looks at one camera."
    )
    parallel: int = Field(default=32, ge=1, le=512, description="Most cameras opened at once for it.")
    per_host_per_s: float = Field(
        default=2, ge=0.1, le=100, description="Most sessions opened per second at one recorder for it."
    )
    confirm: int = Field(
        default=2, ge=1, le=10, description="Looks in a row that must agree before a status changes."
    )


class ClipSettings(Section):
    """Pictures kept as evidence."""

    days: int = Field(default=90, ge=1, le=3650, description="Days that clips are kept.")
    most_gb: float = Field(
        default=50,
        ge=0.01,
        le=1_000_000,
        description="Most disk that clips may take; past it none is begun.",
    )
    longest_s: float = Field(
        default=1800, ge=10, le=14_400, description="Longest clip, in seconds of real time."
    )


class VideoSettings(Section):
    """Live video."""

    workers: int = Field(
        default=2, ge=1, le=64, description="Processes that pull cameras; one a core is plenty."
    )
    linger_s: float = Field(
        default=10, ge=0, le=3600, description="Seconds a camera is pulled after its last viewer left."
    )
    ring_s: float = Field(
        default=30, ge=0, le=600, description="Seconds of a watched camera that are held for clips."
    )
    ring_mb: int = Field(default=160, ge=1, le=65_536, description="Most memory a process holds for that.")
    transcodes: int = Field(
        default=2,
        ge=0,
        le=256,
        description="Most H.265 streams encoded anew at once for browsers without it.",
    )
    opens_per_host_per_s: float = Field(
        default=4, ge=0.1, le=100, description="Sessions opened per second at one host for viewers."
    )
    file_folder: Path | None = Field(
        default=None, description="Folder below which sources of the protocol file live; none: no files."
    )
    gb: GbSettings = GbSettings()
    health: HealthSettings = HealthSettings()
    clips: ClipSettings = ClipSettings()

    @model_validator(mode="after")
    def _a_public_address(self) -> VideoSettings:
        if self.gb.enabled and self.gb.host in ("0.0.0.0", "::") and not self.gb.public_host:
            raise ValueError(
                "gb.public_host: devices cannot send to 0.0.0.0; name an address of this machine"
            )
        return self
