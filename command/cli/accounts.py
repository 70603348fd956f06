"""Accounts, tokens and the audit record from the command line, with the service stopped."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from command.accounts.passwords import random_password
from command.accounts.records import TOKEN_KINDS, TokenKind
from command.accounts.tokens import TokenRequest
from command.accounts.users import NewUser
from command.cli.common import load, say
from command.core import Core, open_core
from command.errors import NotFound

T = TypeVar("T")
Data = Annotated[Path | None, typer.Option(help="Data folder.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with the settings.")]
CLI = "cli"
"""Who did it, in the audit record."""

user = typer.Typer(help="Accounts.", no_args_is_help=True)
token = typer.Typer(help="Tokens of trackers, integrations, walls and map programs.", no_args_is_help=True)
audit = typer.Typer(help="The audit record.", no_args_is_help=True)


def _with_core(config: Path | None, data: Path | None, work: Callable[[Core], Awaitable[T]]) -> T:
    core = open_core(load(config, data))

    async def run() -> T:
        await core.parts.accounts.load()
        return await work(core)

    try:
        return asyncio.run(run())
    finally:
        core.close()


def _user_id(core: Core, username: str) -> str:
    found = core.parts.accounts.named(username)
    if found is None:
        raise NotFound("user", username)
    return found.id


@user.command("add")
def add(
    username: str,
    role: Annotated[
        str, typer.Option(help="operator, dispatcher, supervisor, leader, dept, police, worker or admin")
    ],
    name: Annotated[str, typer.Option(help="Name on the screens.")],
    area: Annotated[str | None, typer.Option(help="Division code; none is the whole district.")] = None,
    responder: Annotated[str | None, typer.Option(help="Responder id, for field staff.")] = None,
    department: Annotated[str | None, typer.Option(help="Department, for department accounts.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Add an account. Without a password from stdin a random one is made and shown once."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else random_password()

    async def work(core: Core) -> None:
        new = NewUser(username, name, role, area=area, responder_id=responder, department=department)
        await core.parts.accounts.add(new, password, CLI)

    _with_core(config, data, work)
    say(f"{username}: added" + ("" if password_stdin else f", password {password}"))


@user.command("list")
def list_users(data: Data = None, config: Config = None) -> None:
    """List all accounts."""

    async def work(core: Core) -> None:
        for found in core.parts.accounts.list():
            state = "disabled" if found.disabled_at else "active"
            say(f"{found.username:<16} {found.role:<12} {state:<9} {found.name}")

    _with_core(config, data, work)


@user.command("disable")
def disable(username: str, data: Data = None, config: Config = None) -> None:
    """Disable an account and end its sessions."""

    async def work(core: Core) -> None:
        await core.parts.accounts.disable(_user_id(core, username), CLI)

    _with_core(config, data, work)
    say(f"{username}: disabled")


@user.command("reset-password")
def reset_password(
    username: str,
    ask: Annotated[
        bool, typer.Option("--ask", help="Type the new password instead of getting a random one.")
    ] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Give an account a new password and end its sessions."""
    chosen = getpass.getpass("new password: ") if ask else None

    async def work(core: Core) -> str:
        return await core.parts.accounts.reset_password(_user_id(core, username), CLI, chosen)

    password = _with_core(config, data, work)
    say(f"{username}: " + ("changed" if ask else f"password {password}"))


@token.command("issue")
def issue(
    label: Annotated[str, typer.Argument(help="What it is for.")],
    kind: Annotated[str, typer.Option(help="device, integration, kiosk or reader")] = "device",
    responder: Annotated[str | None, typer.Option(help="Whose position a device reports.")] = None,
    device: Annotated[str | None, typer.Option(help="The only device name it may use.")] = None,
    area: Annotated[str | None, typer.Option(help="Division code.")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Issue a token; it is shown this once."""
    chosen: TokenKind | None = next((known for known in TOKEN_KINDS if known == kind), None)
    if chosen is None:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(TOKEN_KINDS)}")

    async def work(core: Core) -> tuple[str, str]:
        request = TokenRequest(chosen, label, responder, device, area)
        text, record = await core.parts.tokens.issue(request, CLI)
        return text, record.id

    text, token_id = _with_core(config, data, work)
    say(f"{token_id}: {text}")


@token.command("revoke")
def revoke(token_id: str, data: Data = None, config: Config = None) -> None:
    """Revoke a token; what it opened is closed."""

    async def work(core: Core) -> None:
        await core.parts.tokens.revoke(token_id, CLI)

    _with_core(config, data, work)
    say(f"{token_id}: revoked")


@audit.command("verify")
def verify(data: Data = None, config: Config = None) -> None:
    """Check the hash chain of the audit record from its first entry."""

    async def work(core: Core) -> str:
        verdict = await core.parts.audit.verify()
        if not verdict.ok:
            raise ValueError(
                f"the audit record was changed: entry {verdict.first_bad_seq} does not fit its chain"
            )
        return verdict.head

    say(f"audit record intact, head {_with_core(config, data, work)}")
