"""The peer's control from Python: ``await client.scan(qr, "34600111222", "Carla")``. Each verb of ``control.py`` and of the phones
(``phones.py``) is a method with the same arguments."""

from __future__ import annotations

import base64
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.waiting import PATIENCE


class PeerError(AssertionError):
    """The peer could not do it; its own words."""


class PeerClient:
    """A connection to the control of a peer; close it, or use it in ``async with``."""

    def __init__(self, control: str) -> None:
        """``control`` is the URL that the peer's descriptor names."""
        self._http = httpx.AsyncClient(base_url=control, timeout=PATIENCE, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go."""
        await self._http.aclose()

    async def do(self, verb: str, **arguments: Any) -> Any:
        """Ask for one verb. Raises :class:`PeerError`."""
        answer = (await self._http.post(f"/{verb}", json=arguments)).json()
        if "error" in answer:
            raise PeerError(f"{verb}: {answer['error']}")
        return answer["answer"]

    # -- people and devices

    async def phone(self, number: str, name: str = "") -> dict[str, str]:
        """A number with its phone: ``phone``, ``lid``, ``name``."""
        return dict(await self.do("phone", number=number, name=name))

    async def scan(self, text: str, number: str, name: str = "") -> None:
        """The owner scans a QR code."""
        await self.do("scan", text=text, number=number, name=name)

    async def enter_code(self, code: str, number: str) -> None:
        """The owner types a pairing code."""
        await self.do("enter_code", code=code, number=number)

    async def devices(self, number: str) -> list[dict[str, Any]]:
        """The linked devices: ``id``, ``online``, ``logins`` so far, ``queued`` stanzas."""
        return list(await self.do("devices", number=number))

    async def group(self, subject: str, numbers: list[str]) -> str:
        """A group; its JID."""
        return str(await self.do("group", subject=subject, numbers=numbers))

    async def group_timer(self, group: str, number: str, seconds: int) -> None:
        """A member lets the messages of a group disappear after a time; 0: no longer."""
        await self.do("group_timer", group=group, number=number, seconds=seconds)

    async def call(self, caller: str, callee: str, *, video: bool = False) -> None:
        """Somebody calls."""
        await self.do("call", caller=caller, callee=callee, video=video)

    # -- what the owner does on the phone

    async def owner_sends(self, number: str, to: str, text: str = "", *, message: bytes = b"", **more: Any) -> str:
        """The owner writes a text (or any ``message``: a serialised e2e_pb.Message) to a number or a group; the id.

        ``more``: ``message_id``, and ``spoilt=True`` for one that cannot be read before it was asked for again.
        """
        packed = base64.b64encode(message).decode()
        return str(await self.do("owner_sends", number=number, to=to, text=text, message=packed, **more))

    async def owner_sends_file(self, number: str, to: str, data: bytes, mimetype: str, *, caption: str = "", filename: str = "") -> str:
        """The owner sends a file as a picture, video, sound or document, by its type; the id."""
        packed = base64.b64encode(data).decode()
        about = {"mimetype": mimetype, "caption": caption, "filename": filename}
        return str(await self.do("owner_sends_file", number=number, to=to, data=packed, **about))

    async def owner_sends_view_once(self, number: str, to: str) -> str:
        """The owner sends a picture that only the contact's phone can open, once; the id."""
        return str(await self.do("owner_sends_view_once", number=number, to=to))

    async def owner_edits(self, number: str, to: str, target: str, text: str) -> str:
        """The owner changes a text written before; the id of the change."""
        return str(await self.do("owner_edits", number=number, to=to, target=target, text=text))

    async def owner_revokes(self, number: str, to: str, target: str) -> str:
        """The owner takes back a message; the id of the change."""
        return str(await self.do("owner_revokes", number=number, to=to, target=target))

    async def owner_reacts(self, number: str, to: str, target: str, emoji: str, *, from_me: bool = False) -> str:
        """The owner reacts to a message of the contact, or with ``from_me`` to an own one; the id of the reaction."""
        return str(await self.do("owner_reacts", number=number, to=to, target=target, emoji=emoji, from_me=from_me))

    async def owner_reads(self, number: str, to: str, ids: list[str]) -> None:
        """The owner opens a chat and sees these messages of the contact."""
        await self.do("owner_reads", number=number, to=to, ids=ids)

    async def owner_sees(self, number: str) -> list[dict[str, Any]]:
        """What stands on the owner's phone, oldest first: ``id``, ``chat``, ``from_me``, ``text``, ``timestamp``."""
        return list(await self.do("owner_sees", number=number))

    async def history_on_link(self, number: str, conversations: list[dict[str, Any]], **about: Any) -> None:
        """The phone shares these conversations with each companion that is newly linked; arguments as for ``share_history``."""
        await self.do("history_on_link", number=number, conversations=conversations, **about)

    async def share_history(self, number: str, conversations: list[dict[str, Any]], **about: Any) -> None:
        """The phone sends conversations now: ``{"number" or "jid", "name", "lid", "unread", "messages": [{"id", "from_me", "text",
        "timestamp" (seconds), "participant", "push_name"}]}``.

        ``about``: ``kind`` ("initial", "recent", "full", "on_demand", "push_names"), ``inline``, ``push_names`` and ``lids`` (by number),
        ``chunk``, ``progress``.
        """
        await self.do("share_history", number=number, conversations=conversations, **about)

    async def share_contacts(self, number: str, names: dict[str, str | None]) -> None:
        """The owner saves people (number -> name); None takes one out."""
        await self.do("share_contacts", number=number, names=names)

    async def set_push_name(self, number: str, name: str) -> None:
        """The owner changes the own name."""
        await self.do("set_push_name", number=number, name=name)

    # -- what goes wrong

    async def log_out(self, number: str) -> None:
        """The owner removes all linked devices."""
        await self.do("log_out", number=number)

    async def replace(self, number: str) -> None:
        """Somebody else took the session over."""
        await self.do("replace", number=number)

    async def restart_required(self, number: str) -> None:
        """The server wants a new connection."""
        await self.do("restart_required", number=number)

    async def drop(self, number: str, refuse_seconds: float = 0) -> None:
        """Cut the line, and keep it cut for a while."""
        await self.do("drop", number=number, refuse_seconds=refuse_seconds)

    async def hang(self, number: str, on: bool = True) -> None:
        """Stay connected and say nothing."""
        await self.do("hang", number=number, on=on)

    async def fail_next_login(self, number: str, reason: str, **attributes: str) -> None:
        """The next log-in fails."""
        await self.do("fail_next_login", number=number, reason=reason, **attributes)

    async def refuse_version(self, on: bool = True) -> None:
        """Every client is too old."""
        await self.do("refuse_version", on=on)

    async def ban(self, number: str, code: int = 101, expire_seconds: float | None = 3_600) -> None:
        """The number is banned for a while; None lifts it."""
        await self.do("ban", number=number, code=code, expire_seconds=expire_seconds)

    async def restrict_sends(self, number: str, code: str | None = "463") -> None:
        """The number may not send; None lifts it."""
        await self.do("restrict_sends", number=number, code=code)

    async def ask_for_passkey(self, number: str, on: bool = True) -> None:
        """The number is linked only with its passkey."""
        await self.do("ask_for_passkey", number=number, on=on)

    async def faults(self, **switches: Any) -> None:
        """Global faults: ``delay_ms``, ``duplicate``, ``reorder``, ``drop_acks``, ``handshake``; what is not named is well again."""
        await self.do("faults", **switches)

    async def forget(self) -> None:
        """A clean slate."""
        await self.do("forget")

    # -- what happened

    async def stats(self) -> dict[str, Any]:
        """``messages`` relayed, ``waiting`` per number, ``connections``."""
        return dict(await self.do("stats"))

    async def received(self, number: str) -> list[dict[str, Any]]:
        """The messages and receipts that the number's devices sent."""
        return list(await self.do("received", number=number))
