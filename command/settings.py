"""Every setting of the service: one typed, frozen object, read once at start-up and passed in.

Order, the later wins: the defaults below, a TOML file, the environment (``YIPING_PORT``,
``YIPING_SECURITY__SESSION_IDLE_HOURS``), what the command line says. An unknown key anywhere stops the
start and names the file (or variable) and the key. Secrets come from the environment alone and never show in
a ``repr``. ``docs/settings.md`` and ``config/defaults.toml`` are written from the fields
(`command.setting_docs`) and held to them by a test.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from command.setting_sections import (
    BasemapSettings,
    CameraSettings,
    DispatchSettings,
    DistrictSettings,
    LogSettings,
    RetentionSettings,
    Secrets,
    SecuritySettings,
    TargetSettings,
    TelemetrySettings,
)
from command.video_settings import VideoSettings
from streams.source import Admission

ENV_PREFIX: Final = "YIPING_"
_OTHER_VARIABLES: Final = ("YIPING_DATA", "YIPING_CONFIG")
"""Names the command line reads itself; ``YIPING_DATA`` is the documented short name of ``data_dir``."""
_TEST_PREFIX: Final = "YIPING_TEST_"


class SettingsProblem(ValueError):
    """The settings cannot be used; the text has one line per problem, each with file or variable and key."""


class Settings(BaseSettings):
    """All settings. Build it with `load_settings`: the constructor reads neither file nor environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True)

    data_dir: Path = Field(
        default=Path("yiping-data"), description="Folder of the database, photos and imported files."
    )
    host: str = Field(default="127.0.0.1", min_length=1, max_length=255, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="TCP port to listen on; 0 picks a free one.")
    config_folder: Path | None = Field(
        default=None,
        description="Folder with a centre's own categories.toml, time_limits.toml and roles.toml; "
        "none: those that came with the program.",
    )
    demo: bool = Field(
        default=False, description="A demonstration: accounts with known passwords exist, screens say so."
    )
    district: DistrictSettings = DistrictSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    dispatch: DispatchSettings = DispatchSettings()
    security: SecuritySettings = SecuritySettings()
    retention: RetentionSettings = RetentionSettings()
    targets: TargetSettings = TargetSettings()
    cameras: CameraSettings = CameraSettings()
    video: VideoSettings = VideoSettings()
    basemap: BasemapSettings = BasemapSettings()
    log: LogSettings = LogSettings()
    secrets: Secrets = Secrets()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the constructor is given and nothing else: reading is `load_settings`' business."""
        return (init_settings,)


def load_settings(path: Path | None = None, **overrides: object) -> Settings:
    """Read the settings.

    Args:
        path: A TOML file, or None for none.
        overrides: What the command line says; top-level fields, sections as mappings. None is "not said".

    Returns:
        The frozen settings.

    Raises:
        SettingsProblem: Something is unknown, out of bounds, unreadable, or a secret stands in the file.
    """
    origins: dict[tuple[str, ...], str] = {}
    merged: dict[str, Any] = {}
    if path is not None:
        _merge(merged, _read_file(path), origins, f"{path}")
    _merge(merged, _read_environment(), origins, "environment")
    _merge(merged, {k: v for k, v in overrides.items() if v is not None}, origins, "command line")
    try:
        return Settings(**merged)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            place = tuple(str(part) for part in problem["loc"])
            what = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
            lines.append(f"{_origin(origins, place)}: {'.'.join(place) or 'settings'}: {what}")
        # The cause would print the values, and a value may be a secret.
        raise SettingsProblem("\n".join(lines)) from None


def admission_of(settings: Settings) -> Admission:
    """Return which camera addresses, protocols and files the administrator allows."""
    allowed = settings.cameras
    return Admission(allowed.allowed_networks, allowed.allowed_protocols, settings.video.file_folder)


def iter_fields(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Walk every setting in the order of the file.

    Yields:
        Dotted name and its field; sections themselves are not yielded.
    """
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from iter_fields(info.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", info


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise SettingsProblem(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsProblem(f"{path}: not valid TOML: {error}") from error
    if "secrets" in values:
        raise SettingsProblem(f"{path}: secrets: secrets come from the environment only, never from a file")
    return values


def _read_environment() -> dict[str, Any]:
    known = {
        f"{ENV_PREFIX}{name.replace('.', '__')}".upper()
        for name, _ in iter_fields()
    }  # fmt: skip
    for variable in sorted(os.environ):
        upper = variable.upper()
        if not upper.startswith(ENV_PREFIX) or upper.startswith(_TEST_PREFIX) or upper in _OTHER_VARIABLES:
            continue
        if upper not in known:
            raise SettingsProblem(f"environment: {variable}: unknown key")
    source = EnvSettingsSource(Settings, env_prefix=ENV_PREFIX, env_nested_delimiter="__")
    try:
        values = source()
    except SettingsError as error:
        raise SettingsProblem(f"environment: {error}; lists are written as JSON") from None
    if "data_dir" not in values and os.environ.get("YIPING_DATA"):
        values["data_dir"] = os.environ["YIPING_DATA"]
    return values


def _merge(
    into: dict[str, Any], values: Mapping[str, Any], origins: dict[tuple[str, ...], str], origin: str
) -> None:
    def walk(target: dict[str, Any], source: Mapping[str, Any], place: tuple[str, ...]) -> None:
        for key, value in source.items():
            here = (*place, key)
            origins[here] = origin
            if isinstance(value, Mapping):
                below = target.get(key)
                target[key] = dict(below) if isinstance(below, Mapping) else {}
                walk(target[key], value, here)
            else:
                target[key] = value

    walk(into, values, ())


def _origin(origins: Mapping[tuple[str, ...], str], place: tuple[str, ...]) -> str:
    for length in range(len(place), 0, -1):
        if place[:length] in origins:
            return origins[place[:length]]
    return "settings"
