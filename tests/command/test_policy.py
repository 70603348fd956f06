from itertools import pairwise
from pathlib import Path

import pytest

from command.errors import Malformed
from command.policy import LEVELS, SOURCES, LimitsS, check_moment, due_at, load_policy
from command.resources import config_dir
from tests.command.world import POLICY, START


def test_the_shipped_rules_have_limits_for_every_level() -> None:
    assert set(POLICY.limits) == set(LEVELS)
    assert POLICY.limits_for("I") == LimitsS(accept=60, sign=120, arrive=600, handle=7200)
    assert POLICY.limits_for("IV").arrive is None
    for level in LEVELS:
        limits = POLICY.limits_for(level)
        assert limits.accept
        assert limits.handle
        assert limits.handle > limits.accept


def test_stricter_levels_have_no_longer_limits() -> None:
    ranked = [POLICY.limits_for(level) for level in ("I", "II", "III", "IV")]
    for strict, mild in pairwise(ranked):
        for stage in ("accept", "sign", "arrive", "handle"):
            assert (getattr(strict, stage) or 1e9) <= (getattr(mild, stage) or 1e9), stage


def test_no_category_sorts_people_by_opinion_or_petition() -> None:
    words = ("petition", "opinion", "信访", "舆情", "维稳", "person", "人员")
    assert not [c for c, name in POLICY.categories.items() if any(w in c or w in name for w in words)]


def test_what_is_not_known_is_refused_with_the_choices() -> None:
    assert POLICY.check_category("traffic") == "traffic"
    assert POLICY.check_level("none") == "none"
    assert [POLICY.check_source(source) for source in SOURCES] == list(SOURCES)
    for check, field in (
        (POLICY.check_category, "category"),
        (POLICY.check_level, "level"),
        (POLICY.check_source, "source"),
    ):
        for bad in ("", "X", "traffic ", "i"):
            with pytest.raises(Malformed) as refused:
                check(bad)
            assert refused.value.field == field


def test_no_limit_is_no_moment() -> None:
    assert due_at(START, None) is None
    assert due_at(START, 90) == "2026-11-22T03:01:30.000Z"


@pytest.mark.parametrize(
    "bad", ["", "soon", "2026-11-22", "2026-11-22T03:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_moment_needs_an_offset(bad: str) -> None:
    with pytest.raises(Malformed) as refused:
        check_moment(bad, "until")
    assert refused.value.field == "until"
    assert check_moment("2026-11-22T11:00:00+08:00", "until") == "2026-11-22T03:00:00.000Z"


def test_a_level_without_limits_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "categories.toml").write_bytes((config_dir() / "categories.toml").read_bytes())
    (tmp_path / "time_limits.toml").write_text("[levels.I]\naccept = 60\n", "utf-8")
    with pytest.raises(ValueError, match="II, III, IV, none"):
        load_policy(tmp_path)
