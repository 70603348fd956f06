import pytest

from command.accounts.assembly import AccountParts
from command.accounts.tokens import DeviceGrant, TokenRequest
from command.errors import Malformed, NotFound

PHONE = TokenRequest("device", "王网格员的手机", responder_id="r-1", device_id="868000000000001")


async def test_a_device_token_is_its_responders_only(parts: AccountParts) -> None:
    token, record = await parts.tokens.issue(PHONE, "admin")
    assert token.startswith("yt_")
    assert len(token) > 40
    grant = parts.tokens.lookup(token)
    assert grant == DeviceGrant(record.id, "device", "王网格员的手机", "r-1", "868000000000001", None)
    assert parts.tokens.principal(grant) is None


@pytest.mark.parametrize("token", [None, "", "yt_", "868000000000001", "yt_" + "x" * 1_000_000, "yt_网格"])
async def test_a_device_id_or_anything_else_is_no_token(parts: AccountParts, token: str | None) -> None:
    await parts.tokens.issue(PHONE, "admin")
    assert parts.tokens.lookup(token) is None


async def test_what_is_kept_is_the_hash(parts: AccountParts) -> None:
    token, _ = await parts.tokens.issue(PHONE, "admin")
    assert token not in repr(list(await parts.tokens.list()))
    assert token not in repr(vars(parts.tokens))
    assert token not in repr(list(await parts.audit.recent()))


async def test_a_revoked_token_is_worth_nothing_also_after_a_restart(parts: AccountParts) -> None:
    token, record = await parts.tokens.issue(PHONE, "admin")
    kept, _ = await parts.tokens.issue(PHONE, "admin")
    heard: list[DeviceGrant] = []
    parts.tokens.on_revoked(heard.append)
    await parts.tokens.revoke(record.id, "admin")
    assert [one.token_id for one in heard] == [record.id]
    assert parts.tokens.lookup(token) is None
    with pytest.raises(NotFound):
        await parts.tokens.revoke(record.id, "admin")
    await parts.tokens.load()
    assert parts.tokens.lookup(token) is None
    assert parts.tokens.lookup(kept) is not None
    assert len(await parts.tokens.list()) == 2
    actions = [one.action for one in await parts.audit.recent()]
    assert actions == ["token.revoked", "token.issued", "token.issued"]


async def test_many_at_once_or_none(parts: AccountParts) -> None:
    issued = await parts.tokens.issue_many([PHONE] * 50, "demo")
    assert len({token for token, _ in issued}) == 50
    assert len(await parts.audit.recent()) == 1
    with pytest.raises(Malformed):
        await parts.tokens.issue_many([PHONE, TokenRequest("device", "无主")], "demo")
    assert len(parts.tokens) == 50
    assert await parts.tokens.issue_many([], "demo") == []


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (TokenRequest("device", "x"), "responder_id"),
        (TokenRequest("kiosk", "x", responder_id="r-1"), "responder_id"),
        (TokenRequest("kiosk", "  "), "label"),
        (TokenRequest("kiosk", "a\r\nset-cookie: x"), "label"),
        (TokenRequest("kiosk", "x" * 101), "label"),
        (TokenRequest("root", "x"), "kind"),  # type: ignore[arg-type]
    ],
)
async def test_nonsense_is_refused(parts: AccountParts, request_: TokenRequest, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        await parts.tokens.issue(request_, "admin")
    assert caught.value.field == field


async def test_a_reader_looks_within_its_area_and_does_nothing(parts: AccountParts) -> None:
    token, _ = await parts.tokens.issue(TokenRequest("reader", "规划处 QGIS", area="340604001"), "admin")
    grant = parts.tokens.lookup(token)
    assert grant is not None
    principal = parts.tokens.principal(grant)
    assert principal is not None
    assert (principal.role, principal.area) == ("reader", "340604001")
    assert principal.permissions == {"view.map", "responders.view", "positions.view", "camera.view"}


async def test_an_integration_reports_and_a_wall_looks(parts: AccountParts) -> None:
    token, _ = await parts.tokens.issue(TokenRequest("integration", "12345 热线"), "admin")
    grant = parts.tokens.lookup(token)
    assert grant is not None
    principal = parts.tokens.principal(grant)
    assert principal is not None
    assert principal.permissions == {"incident.report", "position.report"}
    token, _ = await parts.tokens.issue(TokenRequest("kiosk", "指挥大厅", area="340604001"), "admin")
    grant = parts.tokens.lookup(token)
    assert grant is not None
    principal = parts.tokens.principal(grant)
    assert principal is not None
    assert (principal.role, principal.area) == ("wall", "340604001")
