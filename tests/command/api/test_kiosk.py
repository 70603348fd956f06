import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse

from command.accounts.tokens import TokenRequest
from command.api.session import start_kiosk
from command.errors import Unauthenticated
from tests.command.api.small_app import Service


def request_of(service: Service, **headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/wall",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1"), *raw],
            "client": ("10.0.0.9", 1),
            "app": service.inner,
        }
    )


async def test_a_wall_gets_its_cookie_by_its_address(service: Service) -> None:
    token, _ = await service.parts.tokens.issue(TokenRequest("kiosk", "大厅"), "admin")
    response = RedirectResponse("/wall", 303)
    await start_kiosk(request_of(service), response, service.inner.state.services, token)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("yiping_session=")
    assert "HttpOnly" in cookie
    assert token not in cookie
    assert response.headers["referrer-policy"] == "no-referrer"
    value = cookie.partition("=")[2].partition(";")[0]
    async with service.client() as client:
        answer = await client.get("/api/v1/session", headers={"cookie": f"yiping_session={value}"})
        assert answer.json()["user"]["role"] == "wall"
        assert "message.send" not in answer.json()["user"]["permissions"]
    # The service was restarted: the wall goes on without a touch.
    await service.parts.sessions.persist()
    await service.parts.accounts.load()
    assert service.parts.sessions.resolve(value) is not None


@pytest.mark.parametrize("token", ["", "x", "yt_unknown"])
async def test_a_wrong_address_gets_nothing(service: Service, token: str) -> None:
    response = RedirectResponse("/wall", 303)
    with pytest.raises(Unauthenticated):
        await start_kiosk(request_of(service), response, service.inner.state.services, token)
    assert "set-cookie" not in response.headers
