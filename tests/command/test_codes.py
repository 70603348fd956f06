from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from command.board import Board
from command.clock import rfc3339
from command.codes import CodeBook
from command.incidents import Incident

HERE = ZoneInfo("Asia/Shanghai")


def local(*when: int) -> datetime:
    return datetime(*when, tzinfo=HERE)  # type: ignore[arg-type,misc]


def board_with(*codes: tuple[str, datetime]) -> Board:
    board = Board("e")
    for n, (code, reported) in enumerate(codes):
        board.incidents[f"i{n}"] = Incident(
            id=f"i{n}", code=code, trace_code="X", title="x", category="traffic", level="I", source="console",
            lon=0, lat=0, state="reported", reported_at=rfc3339(reported.astimezone(UTC)),
        )  # fmt: skip
    return board


def test_they_count_within_the_local_day() -> None:
    book = CodeBook("QS", Board("e"))
    night = local(2026, 11, 22, 23, 59)
    assert [book.next(night), book.next(night)] == ["QS-1122-0001", "QS-1122-0002"]
    assert book.next(local(2026, 11, 23, 0, 1)) == "QS-1123-0001"


def test_a_new_process_goes_on_after_the_highest() -> None:
    board = board_with(
        ("QS-1122-0007", local(2026, 11, 22, 9)),
        ("QS-1122-0003", local(2026, 11, 22, 8)),
        ("LS-1122-0099", local(2026, 11, 22, 8)),
        ("QS-1121-0050", local(2026, 11, 21, 8)),
        ("QS-1122-0400", local(2025, 11, 22, 8)),
    )
    assert CodeBook("QS", board).next(local(2026, 11, 22, 10)) == "QS-1122-0008"


@pytest.mark.parametrize("hour", [0, 7, 8, 23])
def test_the_first_of_january_is_local_too(hour: int) -> None:
    """In the small hours of New Year the year in UTC is still the old one."""
    board = board_with(("QS-0101-0005", local(2027, 1, 1, 0, 30)))
    assert CodeBook("QS", board).next(local(2027, 1, 1, hour, 45)) == "QS-0101-0006"


def test_more_than_four_digits_go_on() -> None:
    board = board_with(("QS-1122-9999", local(2026, 11, 22, 9)))
    book = CodeBook("QS", board)
    assert [book.next(local(2026, 11, 22, 10)) for _ in range(2)] == ["QS-1122-10000", "QS-1122-10001"]
