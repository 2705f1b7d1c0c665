"""Sends under our own keys: each key goes out at most once, whatever dies in between (DUR-1, ENG-1)."""

from __future__ import annotations

import hashlib
import hmac
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from whatsapp_dashboard.domain.ids import Address, phone_variants
from whatsapp_dashboard.domain.messages import Content, MediaFile, MessageKey, MessageType
from whatsapp_dashboard.engines.multidevice.host import secrets_table
from whatsapp_dashboard.engines.multidevice.host.book import SessionBook, jid_of
from whatsapp_dashboard.engines.multidevice.host.convert.outgoing import edit_of, message_of, reaction_of, revoke_of
from whatsapp_dashboard.engines.multidevice.host.journal import Journal, SentEntry
from whatsapp_dashboard.engines.multidevice.host.library import Client, LibraryError, packed
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb
from whatsapp_dashboard.errors import Permanent, Retryable, Unavailable

IMAGE, VIDEO, AUDIO, DOCUMENT = 0, 1, 2, 3
_UPLOADS = {
    MessageType.IMAGE: IMAGE,
    MessageType.STICKER: IMAGE,
    MessageType.VIDEO: VIDEO,
    MessageType.AUDIO: AUDIO,
    MessageType.VOICE: AUDIO,
    MessageType.DOCUMENT: DOCUMENT,
}
RESTRICTIONS = {
    "463": "WhatsApp does not let this account start new chats for a while (463).",
    "475": "WhatsApp restricts this account (475).",
}
_SERVER_SAID = re.compile(r"server returned error (\d+)")
_NEVER_LEFT = ("not logged in", "websocket not connected", "not connected", "failed to send message node", "failed to get device list")
_RESTRICTED_AFTER = 600.0
_LOOK_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """The id WhatsApp knows a message by, when it took it (seconds since 1970), and whether that is in doubt."""

    wa_id: str
    at: float
    in_doubt: bool = False


class Sends:
    """Sends of one session. Methods block and are called from worker threads."""

    def __init__(self, client: Client, journal: Journal, book: SessionBook, store: Path, secret: bytes) -> None:
        self._client = client
        self._journal = journal
        self._book = book
        self._store = store
        self._secret = secret
        self._keys: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self.on_restricted: Callable[[str, str], None] = lambda _code, _reason: None

    def secret_of(self, key: str) -> bytes:
        """The message secret that marks ``key`` in the library's store."""
        return hmac.digest(self._secret, key.encode(), hashlib.sha256)

    def send(self, key: str, to: Address, content: Content) -> Outcome:
        """Send one message under ``key``. Raises :class:`Permanent` for a number that is not on WhatsApp."""

        def make() -> tuple[str, e2e_pb.Message]:
            jid = self._reachable(to)
            upload = self._upload(content) if isinstance(content.media, MediaFile) else None
            return jid, message_of(content, secret=self.secret_of(key), upload=upload, book=self._book, chat=to)

        outcome = self._once(key, make)
        if own := self._book.own_phone:
            self._journal.secrets.remember([(outcome.wa_id, f"{own}@s.whatsapp.net", self.secret_of(key))])
        if content.poll:
            self._journal.remember_poll(outcome.wa_id, content.poll.options)
        return outcome

    def react(self, key: str, target: MessageKey, emoji: str) -> Outcome:
        """Set or remove our reaction."""
        target = self._as_known(target)
        return self._once(key, lambda: (str(target.chat), reaction_of(target, emoji, self._book)), repeatable=True)

    def edit(self, key: str, target: MessageKey, text: str) -> Outcome:
        """Change a text of ours."""
        target = self._as_known(target)
        return self._once(key, lambda: (str(target.chat), edit_of(target, text, self._book)), repeatable=True)

    def revoke(self, key: str, target: MessageKey) -> Outcome:
        """Delete a message for everyone."""
        target = self._as_known(target)
        return self._once(key, lambda: (str(target.chat), revoke_of(target, self._book)), repeatable=True)

    def _once(self, key: str, make: Callable[[], tuple[str, e2e_pb.Message]], *, repeatable: bool = False) -> Outcome:
        """Send what ``make`` makes unless ``key`` went out before; ``repeatable`` changes may be made again when in doubt."""
        # The result is written down before a stop closes the journal.
        with self._lock(key), self._client.under_way():
            known = self._journal.intend(key)
            if known is not None and known.wa_id is not None:
                return Outcome(known.wa_id, known.accepted_at or 0.0, known.in_doubt)
            if known is not None and not repeatable and (before := self._settled_by_store(key, known)):
                return before
            try:
                jid, message = make()
            except BaseException:
                self._journal.not_sent(key)
                raise
            try:
                answer = self._client.ask("SendMessage", neonize_pb.SendMessageReturnFunction, *packed(jid_of(jid)), *packed(message))
            except LibraryError as error:
                return self._failed(key, str(error), repeatable=repeatable)
            except Unavailable:
                self._journal.not_sent(key)
                raise
            # The server's answer is in whole seconds, given here in nanoseconds or milliseconds by different versions.
            outcome = Outcome(answer.SendResponse.ID, _seconds(answer.SendResponse.Timestamp))
            self._journal.sent(key, outcome.wa_id, outcome.at)
            return outcome

    def _settled_by_store(self, key: str, known: SentEntry) -> Outcome | None:
        """A process died in the middle of sending ``key``: the store knows whether it got as far as having an id."""
        wa_id = known.wa_id or self._look_up(key)
        if wa_id is None:
            return None
        outcome = Outcome(wa_id, time.time(), in_doubt=True)
        self._journal.sent(key, wa_id, outcome.at, in_doubt=True)
        return outcome

    def _failed(self, key: str, error: str, *, repeatable: bool) -> Outcome:
        said = _SERVER_SAID.search(error)
        if said:
            self._journal.not_sent(key)
            self._refused(said.group(1))
        if any(words in error for words in _NEVER_LEFT):
            self._journal.not_sent(key)
            raise Unavailable("The connection to WhatsApp was lost before the message went out.", code="offline")
        wa_id = None if repeatable else self._look_up(key)
        if wa_id is None:
            self._journal.not_sent(key)
            raise Retryable(f"WhatsApp's library could not send it: {error[:200]}")
        outcome = Outcome(wa_id, time.time(), in_doubt=True)
        self._journal.sent(key, wa_id, outcome.at, in_doubt=True)
        return outcome

    def _refused(self, code: str) -> NoReturn:
        """The server answered with an error: ours to fix, temporary, or a restriction of the account."""
        if code in RESTRICTIONS:
            self.on_restricted(code, RESTRICTIONS[code])
            raise Retryable(RESTRICTIONS[code], after=_RESTRICTED_AFTER, code="restricted")
        if code.startswith("5") or code == "429":
            raise Retryable(f"WhatsApp's server is busy ({code}).", code="server_busy")
        raise Permanent(f"WhatsApp refused the message (error {code}).", code="refused")

    def _look_up(self, key: str) -> str | None:
        """The id that the library chose for ``key``. Asked in another process: see ``secrets_table``."""
        command = [sys.executable, "-I", secrets_table.__file__, str(self._store), self.secret_of(key).hex()]
        found = subprocess.run(command, capture_output=True, text=True, timeout=_LOOK_SECONDS, check=True)  # noqa: S603 - our own file
        return found.stdout.strip() or None

    def _reachable(self, to: Address) -> str:
        """The JID to send to. A number never written to is looked up first: the server drops what goes to one it does not know, and
        tells how it writes the number itself."""
        if not (to.is_person and to.phone) or to.lid:
            return str(to)
        if known := self._known_as(to.phone):
            return f"{known}@s.whatsapp.net"
        exists, jid, _ = lookup(self._client, to.phone)
        if not exists:
            raise Permanent(f"+{to.phone} is not on WhatsApp.", code="not_on_whatsapp")
        return jid if jid.endswith("@s.whatsapp.net") else str(to)

    def _known_as(self, phone: str) -> str | None:
        """The way to write ``phone`` under which WhatsApp knows somebody, as far as this session has heard of it."""
        ways = sorted(phone_variants(phone), key=lambda number: number != phone)
        return next((number for number in ways if self._book.alt(f"{number}@s.whatsapp.net") is not None), None)

    def _as_known(self, target: MessageKey) -> MessageKey:
        """A message to change, in the chat that it was sent to: :meth:`_reachable` may have written the number in another way."""
        chat = target.chat
        known = self._known_as(chat.phone) if chat.is_person and chat.phone and not chat.lid else None
        return replace(target, chat=replace(chat, phone=known)) if known else target

    def _upload(self, content: Content) -> neonize_pb.UploadResponse:
        assert isinstance(content.media, MediaFile)
        data = content.media.data
        try:
            answer = self._client.ask("Upload", neonize_pb.UploadReturnFunction, data, len(data), _UPLOADS[content.type])
        except LibraryError as error:
            raise Retryable(f"The file could not be handed to WhatsApp: {str(error)[:200]}", code="upload_failed") from None
        return answer.UploadResponse

    def _lock(self, key: str) -> threading.Lock:
        with self._guard:
            if len(self._keys) > 1_000:
                self._keys = {known: lock for known, lock in self._keys.items() if lock.locked()}
            return self._keys.setdefault(key, threading.Lock())


def lookup(client: Client, phone: str) -> tuple[bool, str, str]:
    """Whether ``phone`` (digits) is on WhatsApp, the JID it has there, and its verified business name.

    Raises :class:`Retryable` when WhatsApp does not answer."""
    try:
        answer = client.ask("IsOnWhatsApp", neonize_pb.IsOnWhatsAppReturnFunction, f"+{phone}".encode())
    except LibraryError as error:
        raise Retryable(f"WhatsApp did not look the number up: {str(error)[:200]}", code="lookup_failed") from None
    found = answer.IsOnWhatsAppResponse[0]
    return found.IsIn, f"{found.JID.User}@{found.JID.Server}", found.VerifiedName.Details.verifiedName


def _seconds(timestamp: int) -> float:
    for unit in (1e9, 1e6, 1e3):
        if timestamp > unit * 1e9:
            return timestamp / unit
    return float(timestamp)
