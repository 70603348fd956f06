import asyncio
from datetime import timedelta

import pytest

from command.accounts.access import Principal
from command.accounts.assembly import AccountParts
from command.accounts.audit import AuditLog
from command.accounts.memory import MemoryAccounts
from command.accounts.records import AuditDraft
from command.accounts.sessions import CLOCK_DOUBT_S, Sessions, token_digest
from command.clock import ManualClock
from command.errors import StorageFull
from command.setting_sections import SecuritySettings

SETTINGS = SecuritySettings(session_idle_hours=1, session_absolute_hours=8, max_sessions_per_user=3)
HOUR = 3600.0
WANG = Principal("u-1", "wang", "王", "dispatcher", permissions=frozenset({"view.map"}))


def who(kind: str, subject: str) -> Principal | None:
    return WANG if (kind, subject) in {("user", "u-1"), ("kiosk", "t-1")} else None


class Service:
    """One process over a repository that outlives it."""

    def __init__(self, repository: MemoryAccounts, clock: ManualClock) -> None:
        self.repository, self.clock = repository, clock
        self.sessions = Sessions(repository, AuditLog(repository, clock), clock, SETTINGS)

    async def restart(self, down_s: float = 0.0, wall_jump_s: float = 0.0) -> "Service":
        clock = ManualClock(self.clock.now() + timedelta(seconds=down_s + wall_jump_s), monotonic_s=17.0)
        following = Service(self.repository, clock)
        await following.sessions.load(who)
        return following


@pytest.fixture
def service(clock: ManualClock) -> Service:
    return Service(MemoryAccounts(), clock)


async def opened(service: Service, kind: str = "user", subject: str = "u-1") -> str:
    token, _ = await service.sessions.open(WANG, kind, subject, "10.0.0.1")  # type: ignore[arg-type]
    return token


async def test_a_token_is_found_and_kept_nowhere(service: Service) -> None:
    token = await opened(service)
    session = service.sessions.resolve(token)
    assert session is not None
    assert session.principal is WANG
    assert len(token) >= 43  # 256 bits
    assert token not in repr(vars(service.repository))
    assert token not in repr(list(await service.repository.audit()))


@pytest.mark.parametrize("token", [None, "", "x", "x" * 1_000_000, "\ud800", "' OR 1=1 --", "网格"])
async def test_anything_else_is_nobody(service: Service, token: str | None) -> None:
    await opened(service)
    assert service.sessions.resolve(token) is None


async def test_idle_and_absolute_limits(service: Service) -> None:
    token = await opened(service)
    for _ in range(8):
        service.clock.advance(HOUR - 1)
        assert service.sessions.resolve(token) is not None
    service.clock.advance(20)
    assert service.sessions.resolve(token) is None
    other = await opened(service)
    service.clock.advance(HOUR + 1)
    assert service.sessions.resolve(other) is None


@pytest.mark.parametrize("jump_h", [-24 * 365, -2, 2, 24 * 365])
async def test_setting_the_clock_ends_nobody_and_lengthens_none(service: Service, jump_h: int) -> None:
    token = await opened(service)
    service.clock.set_wall(service.clock.now() + timedelta(hours=jump_h))
    assert await service.sessions.sweep() == 0
    assert service.sessions.resolve(token) is not None
    service.clock.advance(HOUR + 1)
    assert service.sessions.resolve(token) is None


@pytest.mark.parametrize("jump_h", [-24, -2, 0, 2])
async def test_a_restart_with_a_wrong_clock_ends_nobody(service: Service, jump_h: int) -> None:
    token = await opened(service)
    await service.sessions.persist()
    following = await service.restart(down_s=60, wall_jump_s=jump_h * HOUR - 60)
    assert following.sessions.resolve(token) is not None


async def test_age_and_idleness_survive_a_restart(service: Service) -> None:
    token = await opened(service)
    service.clock.advance(HOUR / 2)
    await service.sessions.persist()
    following = await service.restart(down_s=5)
    following.clock.advance(HOUR / 2 + 1)
    assert following.sessions.resolve(token) is None


async def test_long_time_down_counts(service: Service) -> None:
    token = await opened(service)
    await service.sessions.persist()
    following = await service.restart(down_s=CLOCK_DOUBT_S + HOUR + 1)
    assert following.sessions.resolve(token) is None
    assert await following.sessions.sweep() == 0
    assert list(await service.repository.sessions()) == []


async def test_repeated_restarts_do_not_lengthen_a_used_session(service: Service) -> None:
    token = await opened(service)
    for _ in range(17):
        service.clock.advance(HOUR / 2)
        service.sessions.resolve(token)
        await service.sessions.sweep()
        await service.sessions.persist()
        service = await service.restart(down_s=1)
    assert service.sessions.resolve(token) is None


async def test_sessions_of_accounts_that_are_gone_end_at_the_start(service: Service) -> None:
    token = await opened(service, "user", "u-gone")
    following = await service.restart()
    assert following.sessions.resolve(token) is None
    assert list(await service.repository.sessions()) == []


async def test_a_wall_does_not_idle_out(service: Service) -> None:
    token = await opened(service, "kiosk", "t-1")
    service.clock.advance(30 * 24 * HOUR)
    assert service.sessions.resolve(token) is not None


async def test_closing_tells_at_once_and_once(service: Service) -> None:
    token, session = await service.sessions.open(WANG, "user", "u-1", "")
    heard: list[str] = []
    stop = service.sessions.on_revoked(heard.append)
    service.sessions.watch(session.id, lambda: heard.append("socket"))
    unwatch = service.sessions.watch(session.id, lambda: heard.append("left before"))
    unwatch()
    assert service.sessions.alive(session.id)
    await service.sessions.close(session.id, "u-1")
    await service.sessions.close(session.id, "u-1")
    assert heard == [session.id, "socket"]
    assert service.sessions.resolve(token) is None
    assert not service.sessions.alive(session.id)
    service.sessions.watch(session.id, lambda: heard.append("too late"))
    assert heard[-1] == "too late"
    stop()
    stop()
    _, other = await service.sessions.open(WANG, "user", "u-1", "")
    await service.sessions.close(other.id, "u-1")
    assert other.id not in heard


async def test_expiry_tells_too(service: Service) -> None:
    _, session = await service.sessions.open(WANG, "user", "u-1", "")
    heard: list[str] = []
    service.sessions.on_revoked(heard.append)
    service.clock.advance(HOUR + 1)
    assert await service.sessions.sweep() == 1
    assert heard == [session.id]
    assert list(await service.repository.sessions()) == []
    assert (await service.repository.audit(limit=1))[0].action == "session.expired"


async def test_closing_all_of_an_account(service: Service) -> None:
    tokens = [await opened(service) for _ in range(2)]
    wall = await opened(service, "kiosk", "t-1")
    assert await service.sessions.close_of("user", "u-1", "admin", "disabled") == 2
    assert [service.sessions.resolve(one) for one in tokens] == [None, None]
    assert service.sessions.resolve(wall) is not None


async def test_the_session_unused_longest_makes_room(service: Service) -> None:
    tokens = []
    for _ in range(3):
        tokens.append(await opened(service))
        service.clock.advance(1)
    service.sessions.resolve(tokens[0])
    tokens.append(await opened(service))
    assert [service.sessions.resolve(one) is not None for one in tokens] == [True, False, True, True]


async def test_a_reconnect_storm_does_not_touch_the_store(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await opened(service)
    for name in ("sessions", "touch_sessions", "user", "users", "record"):
        monkeypatch.delattr(MemoryAccounts, name)
    assert all(service.sessions.resolve(token) is not None for _ in range(1000))


async def test_a_full_disk_does_not_keep_a_closed_session_alive(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, session = await service.sessions.open(WANG, "user", "u-1", "")
    forget = MemoryAccounts.end_sessions

    async def full(self: MemoryAccounts, ids: object, audit: AuditDraft | None) -> None:
        raise StorageFull

    monkeypatch.setattr(MemoryAccounts, "end_sessions", full)
    with pytest.raises(StorageFull):
        await service.sessions.close(session.id, "admin")
    assert service.sessions.resolve(token) is None
    monkeypatch.setattr(MemoryAccounts, "end_sessions", forget)
    await service.sessions.sweep()
    assert list(await service.repository.sessions()) == []


async def test_the_task_sweeps_and_writes_down_at_the_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    import command.accounts.sessions as module

    monkeypatch.setattr(module, "SWEEP_S", 0.001)
    _, session = await service.sessions.open(WANG, "user", "u-1", "")
    token, _ = await service.sessions.open(WANG, "kiosk", "t-1", "")
    ended = asyncio.Event()
    service.sessions.watch(session.id, ended.set)
    task = asyncio.create_task(service.sessions.run())
    service.clock.advance(HOUR + 1)
    await asyncio.wait_for(ended.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [left] = await service.repository.sessions()
    assert left.token_hash == token_digest(token)
    assert left.age_s == pytest.approx(HOUR + 1)


async def test_signing_in_makes_a_new_token_each_time(parts: AccountParts) -> None:
    tokens = {(await parts.sessions.open(WANG, "user", "u-1", ""))[0] for _ in range(5)}
    assert len(tokens) == 5
