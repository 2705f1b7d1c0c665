"""What operators do with the simulated phones, and which of them they may touch (ENG-5, SEC-6).

Each workspace has a world of its own (ACC-15). In it a phone is shown while all accounts it is, or was, linked to are there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.accounts.service import AccountService
from whatsapp_dashboard.accounts.views import AccountRow
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.messages import MediaFile
from whatsapp_dashboard.domain.numbers import read_phone
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.engines.sandbox.client import SandboxEngine
from whatsapp_dashboard.engines.sandbox.neighbours import world_of
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound
from whatsapp_dashboard.sandbox_phone import samples

Raw = dict[str, Any]

SWITCHES = frozenset({"offline", "hang", "slow_ms", "duplicates", "disorder", "restricted", "fail_sends"})
"""The switches an operator may use on the page."""
_PREVIEW_BYTES = 300_000
_KEPT_PREVIEWS = 64


@dataclass(frozen=True, slots=True)
class WaitingAccount:
    """An account of the workspace that shows a QR now."""

    id: str
    name: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class LinkedPhone:
    """One simulated phone of the workspace and the link it has, if any."""

    number: str
    push_name: str
    account_id: str
    account_name: str
    state: str
    """``linked``, ``banned``, or ``free`` when no account is linked."""
    connected: bool
    queued: int
    switches: Raw


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page begins with."""

    accounts: int
    """How many sandbox accounts the workspace has."""
    phones: tuple[LinkedPhone, ...]
    waiting: tuple[WaitingAccount, ...]


class PhoneService:
    """Simulated phones of the asking operator's workspace. Viewers look, operators act."""

    def __init__(self, accounts: AccountService, options: Mapping[str, str]) -> None:
        """``options`` are the engines': where the worlds are, and which workspace is the first."""
        self._accounts = accounts
        self._options = options
        self._phones: dict[str, SandboxPhone] = {}
        self._previews: dict[tuple[str, str], MediaFile] = {}

    async def close(self) -> None:
        """Let go of the world."""
        phones, self._phones = self._phones, {}
        for phone in phones.values():
            await phone.close()

    # -- looking

    async def has_accounts(self, who: Principal) -> bool:
        """Whether the workspace has a sandbox account: the page is offered only then."""
        return bool(await self._sandbox_accounts(who))

    async def overview(self, who: Principal) -> Overview:
        """The phones and the accounts that wait for a scan. Raises :class:`Unavailable` while the world does not answer."""
        accounts = await self._sandbox_accounts(who)
        phones = []
        for raw in await self._phone_of(who).phones():
            if not all(device["account_id"] in accounts for device in raw["devices"]):
                continue
            alive = [device for device in raw["devices"] if device["state"] != "logged_out"]
            device = alive[-1] if alive else None
            phones.append(
                LinkedPhone(
                    number=raw["number"],
                    push_name=raw["push_name"],
                    account_id=device["account_id"] if device else "",
                    account_name=accounts[device["account_id"]].name if device else "",
                    state=device["state"] if device else "free",
                    connected=bool(device and device["connected"]),
                    queued=device["queued"] if device else 0,
                    switches=device["switches"] if device else {},
                )
            )
        expiry = {raw["account_id"]: raw["expires_at"] for raw in await self._phone_of(who).waiting()}
        waiting = [
            WaitingAccount(row.id, row.name, expiry[row.id])
            for row in accounts.values()
            if row.status is AccountStatus.QR_READY and row.id in expiry
        ]
        return Overview(len(accounts), tuple(phones), tuple(waiting))

    async def chats(self, who: Principal, number: str) -> list[Raw]:
        """The contacts of a phone with their last messages."""
        await self._visible(who, number)
        return await self._phone_of(who).chats(number)

    async def thread(self, who: Principal, number: str, contact: str) -> tuple[list[Raw], bool]:
        """The newest messages of a chat, pictures with their bytes as ``preview``, and whether the account is typing."""
        await self._visible(who, number)
        messages, typing = await self._phone_of(who).thread(contact, number)
        for message in messages:
            message["preview"] = await self._preview(who, message["content"])
        return messages, typing

    def changes(self, who: Principal, pause: float) -> AsyncIterator[bool]:
        """Yields True when something in the world changed, False after ``pause`` quiet seconds."""
        who.require(Role.VIEWER)
        return self._phone_of(who).changes(pause)

    # -- linking

    async def scan(self, who: Principal, account_id: str, number: str | None = None, *, passkey: bool = False) -> str:
        """Scan the QR an account shows now, with a phone of the workspace or a new one; returns the phone's number, nothing when WhatsApp
        asks for a ``passkey`` (ACC-14)."""
        who.require(Role.OPERATOR)
        if number:
            await self._visible(who, number)
        if account_id not in await self._sandbox_accounts(who):
            raise NotFound("There is no such sandbox account.", code="account_not_found")
        return await self._phone_of(who).scan((await self._accounts.qr(who, account_id)).text, number, passkey=passkey)

    async def enter_code(self, who: Principal, code: str, *, passkey: bool = False) -> str:
        """Type a pairing code of one of the workspace's accounts; returns the phone's number, as :meth:`scan` does."""
        who.require(Role.OPERATOR)
        if len("".join(code.split()).replace("-", "")) != 8:
            raise Invalid("A pairing code has eight letters and digits, for example K7PX-2M9Q.", code="bad_code", field="code")
        accounts = list(await self._sandbox_accounts(who))
        return await self._phone_of(who).enter_pairing_code(code, accounts=accounts, passkey=passkey)

    # -- writing

    async def send(
        self,
        who: Principal,
        number: str,
        contact: str,
        kind: str,
        text: str = "",
        *,
        as_owner: bool = False,
        member: str | None = None,
        quote: str | None = None,
    ) -> str:
        """A contact (or the owner on the phone itself) writes: a text, or a sample of another kind with ``text`` as caption."""
        await self._usable(who, number)
        content = samples.content(kind, text, quote)
        return await self._phone_of(who).send(contact, content, account=number, member=member, by_owner=as_owner)

    async def edit(self, who: Principal, number: str, wa_id: str, text: str) -> None:
        """The writer changes a message."""
        await self._usable(who, number)
        await self._phone_of(who).edit(wa_id, text, number)

    async def revoke(self, who: Principal, number: str, wa_id: str) -> None:
        """The writer deletes a message for everyone."""
        await self._usable(who, number)
        await self._phone_of(who).revoke(wa_id, number)

    async def react(self, who: Principal, number: str, wa_id: str, emoji: str) -> None:
        """The contact reacts; an empty emoji takes the reaction back."""
        await self._usable(who, number)
        if len(emoji) > 16:
            raise Invalid("A reaction is one emoji.", code="bad_emoji", field="emoji")
        await self._phone_of(who).react(wa_id, emoji, account=number)

    async def vote(self, who: Principal, number: str, wa_id: str, options: list[str]) -> None:
        """The contact votes in a poll."""
        await self._usable(who, number)
        await self._phone_of(who).vote(wa_id, options, account=number)

    async def open_chat(self, who: Principal, number: str, contact: str) -> int:
        """The contact looks at the chat: the account's messages turn read."""
        await self._usable(who, number)
        return await self._phone_of(who).open_chat(contact, number)

    async def call(self, who: Principal, number: str, contact: str) -> None:
        """The contact calls the account."""
        await self._usable(who, number)
        await self._phone_of(who).call(contact, account=number)

    # -- what goes wrong on purpose

    async def switch(self, who: Principal, number: str, name: str, value: Any) -> None:
        """Set a switch of the phone's link."""
        await self._linked(who, number)
        if name not in SWITCHES:
            raise Invalid(f"There is no switch “{name[:40]}”.", code="no_switch")
        await self._phone_of(who).switch(name, value, number)

    async def happen(self, who: Principal, number: str, what: str) -> None:
        """One of: drop, log_out, ban, unban, replace, restart."""
        await self._linked(who, number)
        phone = self._phone_of(who)
        match what:
            case "drop":
                await phone.drop(number)
            case "log_out":
                await phone.log_out(number)
            case "ban":
                await phone.ban(account=number)
            case "unban":
                await phone.unban(number)
            case "replace":
                await phone.replace(number)
            case "restart":
                await phone.require_restart(number)
            case _:
                raise Invalid(f"“{what[:40]}” cannot happen to a phone.", code="no_event")

    async def replay_history(self, who: Principal, number: str, count: int) -> int:
        """Sync old messages to the account (ACC-8); returns how many."""
        await self._linked(who, number)
        return await self._phone_of(who).replay_history(count, number)

    async def set_online(self, who: Principal, number: str, contact: str, online: bool) -> None:
        """Switch the contact's own phone on or off."""
        await self._usable(who, number)
        await self._phone_of(who).set_online(contact, online, number)

    async def set_timer(self, who: Principal, number: str, contact: str, seconds: int) -> None:
        """Let the messages of a chat disappear after a time, or no longer (MSG-12)."""
        await self._usable(who, number)
        await self._phone_of(who).set_timer(contact, seconds, number)

    async def add_contact(self, who: Principal, name: str, phone: str) -> str:
        """A new person in the world; returns the contact's id."""
        who.require(Role.OPERATOR)
        number, _ = read_phone(phone)
        return str((await self._phone_of(who).add_contact(name, number))["id"])

    # -- inside

    async def _sandbox_accounts(self, who: Principal) -> dict[str, AccountRow]:
        return {row.id: row for row in await self._accounts.list_accounts(who) if row.engine == SandboxEngine.name}

    async def _visible(self, who: Principal, number: str) -> LinkedPhone:
        for phone in (await self.overview(who)).phones:
            if phone.number == number:
                return phone
        raise NotFound("There is no such phone.", code="phone_not_found")

    async def _usable(self, who: Principal, number: str) -> LinkedPhone:
        who.require(Role.OPERATOR)
        return await self._visible(who, number)

    async def _linked(self, who: Principal, number: str) -> LinkedPhone:
        phone = await self._usable(who, number)
        if phone.state == "free":
            raise Conflict("No account is linked to this phone; scan a QR first.", code="not_linked")
        return phone

    def _phone_of(self, who: Principal) -> SandboxPhone:
        """A hand on the phones of the workspace's world."""
        name = world_of(who.workspace_id, self._options)
        if name not in self._phones:
            self._phones[name] = SandboxPhone(self._options.get("world", ""), world=name)
        return self._phones[name]

    async def _preview(self, who: Principal, content: Raw) -> MediaFile | None:
        """A small picture's bytes; None for everything else."""
        media = content.get("media")
        if not media or content["type"] not in ("image", "sticker") or (media.get("size") or 0) > _PREVIEW_BYTES:
            return None
        token = media["token"]["media"]
        key = (who.workspace_id, token)
        if key not in self._previews:
            if len(self._previews) >= _KEPT_PREVIEWS:
                self._previews.pop(next(iter(self._previews)))
            self._previews[key] = await self._phone_of(who).media(token)
        return self._previews[key]
