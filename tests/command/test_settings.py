import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from command.resources import config_dir, static_dir
from command.setting_docs import defaults_file, secret_names, settings_page
from command.settings import Settings, SettingsProblem, iter_fields, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.upper().startswith("YIPING_"):
            monkeypatch.delenv(name)


def test_defaults_need_no_file() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert settings.security.argon2_memory_kib == 19 * 1024
    assert (settings.security.argon2_time_cost, settings.security.argon2_parallelism) == (2, 1)
    assert settings.dispatch.answer_s == 30


def test_file_then_environment_then_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "y.toml"
    file.write_text(
        "host = '10.0.0.1'\nport = 1\n[telemetry]\ntick_hz = 2\n[dispatch]\nanswer_s = 60\n", encoding="utf-8"
    )
    monkeypatch.setenv("YIPING_PORT", "2")
    monkeypatch.setenv("YIPING_TELEMETRY__TICK_HZ", "4")
    monkeypatch.setenv("YIPING_CAMERAS__ALLOWED_NETWORKS", '["127.0.0.0/8"]')
    settings = load_settings(file, port=3, host=None)
    assert (settings.host, settings.port) == ("10.0.0.1", 3)
    assert (settings.telemetry.tick_hz, settings.dispatch.answer_s) == (4, 60)
    assert settings.cameras.allowed_networks == ("127.0.0.0/8",)


def test_the_constructor_does_not_look_at_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIPING_PORT", "2")
    assert Settings().port == 8000


def test_short_name_of_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIPING_DATA", "/var/yiping")
    assert load_settings().data_dir == Path("/var/yiping")
    assert load_settings(data_dir=Path("/x")).data_dir == Path("/x")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("prot = 1", "prot: unknown key"),
        ("[telemetry]\ntickhz = 1", "telemetry.tickhz: unknown key"),
        ("port = 70000", "port: "),
        ("[security]\nsession_absolute_hours = 1\nsession_idle_hours = 2", "session_absolute_hours must not"),
        ("[security]\npublic_origins = ['yiping.example']", "security.public_origins"),
        ("[cameras]\nallowed_networks = ['10.0.0.0/99']", "cameras.allowed_networks"),
        ("[secrets]\ncamera_key = 'x'", "environment only"),
        ("port = ", "not valid TOML"),
    ],
)
def test_a_bad_file_names_itself_and_the_key(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsProblem) as caught:
        load_settings(file)
    assert "bad.toml" in str(caught.value)
    assert key in str(caught.value)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"none\.toml: cannot be read"):
        load_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["YIPING_PROT", "YIPING_TELEMETRY__TICKHZ", "YIPING_TELEMETRY_TICK_HZ"])
def test_an_unknown_variable_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsProblem, match=f"environment: {name}: unknown key"):
        load_settings()


def test_a_list_that_is_not_json_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIPING_CAMERAS__ALLOWED_NETWORKS", "10.0.0.0/8")
    with pytest.raises(SettingsProblem, match="environment"):
        load_settings()


def test_every_problem_is_told_at_once_with_its_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "y.toml"
    file.write_text("[dispatch]\nanswer_s = 0\n", encoding="utf-8")
    monkeypatch.setenv("YIPING_PORT", "-1")
    with pytest.raises(SettingsProblem) as caught:
        load_settings(file)
    lines = str(caught.value).splitlines()
    assert any(line.startswith("environment: port:") for line in lines)
    assert any("y.toml: dispatch.answer_s:" in line for line in lines)


def test_secrets_show_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "canary-5d1f-long-enough"
    monkeypatch.setenv("YIPING_SECRETS__CAMERA_KEY", canary)
    settings = load_settings()
    assert settings.secrets.camera_key is not None
    assert settings.secrets.camera_key.get_secret_value() == canary
    for text in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert canary not in text


def test_a_problem_beside_a_secret_does_not_print_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIPING_SECRETS__CAMERA_KEY", "canary-5d1f-long-enough")
    monkeypatch.setenv("YIPING_PORT", "-1")
    with pytest.raises(SettingsProblem) as caught:
        load_settings()
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1
    with pytest.raises(ValidationError):
        Settings().dispatch.answer_s = 1


def test_every_setting_says_what_it_does_and_numbers_have_bounds() -> None:
    for name, info in iter_fields():
        assert info.description, name
        assert info.description.endswith("."), name
        if isinstance(info.default, (int, float)) and not isinstance(info.default, bool):
            kinds = {type(rule).__name__ for rule in info.metadata}
            assert {"Ge", "Le"} <= kinds, name
    assert secret_names() == ["secrets.camera_key"]


def test_the_written_files_are_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page()
    assert (ROOT / "config" / "defaults.toml").read_text(encoding="utf-8") == defaults_file()


def test_the_defaults_file_is_the_defaults() -> None:
    assert load_settings(config_dir() / "defaults.toml") == Settings()
    named = set(re.findall(r"^(?:# )?([a-z_0-9]+) = ", defaults_file(), re.M))
    assert named == {name.rpartition(".")[2] for name, _ in iter_fields()} - {"camera_key"}


def test_shipped_folders_are_found() -> None:
    assert (config_dir() / "roles.toml").is_file()
    assert static_dir().is_dir()


def test_shipped_categories_and_limits_are_sound() -> None:
    with (config_dir() / "categories.toml").open("rb") as file:
        categories = tomllib.load(file)["categories"]
    assert all(re.fullmatch(r"[a-z_]+", key) and name for key, name in categories.items())
    # Scope fence: nothing that files people by petition, opinion or faith.
    assert not re.search(r"petition|opinion|religio|ethnic|信访|舆情|宗教|民族", str(categories))
    with (config_dir() / "time_limits.toml").open("rb") as file:
        levels = tomllib.load(file)["levels"]
    assert set(levels) == {"I", "II", "III", "IV", "none"}
    for stages in levels.values():
        assert set(stages) <= {"accept", "sign", "arrive", "handle"}
        assert all(isinstance(limit, int) and limit > 0 for limit in stages.values())
