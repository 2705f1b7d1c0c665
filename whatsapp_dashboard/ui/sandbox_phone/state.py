"""What the Sandbox phone page does: follows the world and passes on what the operator does with it (ENG-5)."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import DatabaseAway, NotFound, Unavailable
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.live import CHECK_SECONDS, following, while_open
from whatsapp_dashboard.ui.sandbox_phone.lines import (
    Bubble,
    ChatLine,
    PhoneLine,
    WaitingLine,
    bubbles,
    chat_line,
    phone_line,
    waiting_line,
)
from whatsapp_dashboard.ui.state import PageState, action

REST_SECONDS = 0.1
SLOW_MS = 2_000
HISTORY = 20
_ASKED = "WhatsApp asks this phone for a passkey: the account is not linked."


class SandboxPhoneState(PageState):
    """The phone in the operator's hand: ``number`` is the account's phone, ``contact`` the open chat."""

    loaded: bool = False
    failed: str = ""
    accounts: int = 0
    phones: list[PhoneLine] = []
    waiting: list[WaitingLine] = []
    number: str = ""
    phone: PhoneLine = PhoneLine("", "", "", "", "", "free", False, 0)
    switches: dict[str, bool] = {}
    chats: list[ChatLine] = []
    contact: str = ""
    chat: ChatLine = ChatLine("", "", "", "", "", 0, True, False, False)
    thread: list[Bubble] = []
    as_owner: bool = False
    passkey: bool = False
    """Whether WhatsApp asks the next phone for a passkey when it links an account."""
    quote_id: str = ""
    quote_text: str = ""
    edit_id: str = ""
    draft: str = ""
    edition: int = 0
    """Counts how often the composer was set anew."""

    # -- following

    @following
    async def watch(self) -> None:
        """Load the page and keep it current while it is open."""
        who = await self._who()
        wanted = self._parameters()
        async with self:
            self.number, self.contact = wanted.get("phone", "")[:20], wanted.get("chat", "")[:40]
        changes = self._services().phone.changes(who, CHECK_SECONDS)
        async with aclosing(while_open(self, changes)) as news:
            async for _changed in news:
                await self._refresh(await self._who())
                await asyncio.sleep(REST_SECONDS)

    async def _refresh(self, who: Principal) -> None:
        service = self._services().phone
        try:
            seen = await service.overview(who)
            numbers = [phone.number for phone in seen.phones]
            number = self.number if self.number in numbers else next(iter(numbers), "")
            phone = next((phone for phone in seen.phones if phone.number == number), None)
            chats = await service.chats(who, number) if number else []
            contact = self.contact if any(chat["id"] == self.contact for chat in chats) else ""
            if contact and who.role.rank >= Role.OPERATOR.rank:
                # Whoever looks at a chat reads it.
                await service.open_chat(who, number, contact)
            messages, typing = await service.thread(who, number, contact) if contact else ([], False)
        except DatabaseAway:
            raise
        except Unavailable:
            async with self:
                self.failed, self.loaded = "The sandbox world does not answer. This page tries again by itself.", True
            return
        except NotFound:
            return
        lines, thread = [chat_line(chat) for chat in chats], bubbles(messages)
        async with self:
            if (self.contact and self.contact != contact) or (self.number and self.number in numbers and self.number != number):
                return  # another chat was opened meanwhile; its own look follows
            self.failed, self.loaded, self.accounts = "", True, seen.accounts
            self.phones, self.waiting = [phone_line(one) for one in seen.phones], [waiting_line(one) for one in seen.waiting]
            self.number, self.contact = number, contact
            if phone:
                self.phone = phone_line(phone)
                self.switches = {name: bool(value) for name, value in phone.switches.items()}
            if lines != self.chats:
                self.chats = lines
            if contact:
                self.chat = next(line for line in lines if line.id == contact)
                self.chat.typing = typing
            if thread != self.thread:
                self.thread = thread

    # -- moving about

    @action
    async def choose(self, number: str) -> Any:
        """Take another phone into the hand."""
        self.number, self.contact, self.thread = number[:20], "", []
        self._clear_composer()
        return [SandboxPhoneState.watch_again, self._address()]

    @action
    async def open_chat(self, contact: str) -> Any:
        """Open the chat of one contact."""
        self.contact, self.thread = contact[:40], []
        self.chat = next((line for line in self.chats if line.id == contact), self.chat)
        self._clear_composer()
        return [SandboxPhoneState.watch_again, self._address()]

    @action
    async def back(self) -> Any:
        """Back to the list of chats."""
        self.contact, self.thread = "", []
        self._clear_composer()
        return self._address()

    @following
    async def watch_again(self) -> None:
        """Look at once, without waiting for the next change."""
        await self._refresh(await self._who())

    def _address(self) -> Any:
        """Put what is open into the address, without a new load."""
        query = urlencode({name: value for name, value in (("phone", self.number), ("chat", self.contact)) if value})
        target = json.dumps("/sandbox-phone" + (f"?{query}" if query else ""))
        return rx.call_script(f"window.history.replaceState(window.history.state, '', {target})")

    # -- linking

    @action
    async def scan(self, account_id: str, with_this: bool) -> Any:
        """Scan the QR an account shows now, with this phone or with a new one."""
        who = await self._who()
        this = self.number if with_this and self.number else None
        number = await self._services().phone.scan(who, account_id, this, passkey=self.passkey)
        if not number:
            yield toast_ok("Scanned", _ASKED)
            return
        self.number, self.contact, self.thread = number, "", []
        yield toast_ok("Scanned", "The account is being linked.")
        yield self._address()

    @action
    async def enter_code(self, form: dict[str, Any]) -> Any:
        """Type a pairing code on the phone."""
        who = await self._who()
        number = await self._services().phone.enter_code(who, str(form.get("code", ""))[:40], passkey=self.passkey)
        self.edition += 1
        if not number:
            yield toast_ok("The code was right", _ASKED)
            return
        self.number, self.contact, self.thread = number, "", []
        yield toast_ok("The code was right", "The account is being linked.")

    @action
    async def set_passkey(self, on: bool) -> None:
        """Whether WhatsApp asks for a passkey at the next link."""
        self.passkey = bool(on)

    # -- writing

    @action
    async def submit(self, form: dict[str, Any]) -> None:
        """Send what was typed, or change the message that is being edited."""
        who, service = await self._who(), self._services().phone
        text = str(form.get("text", ""))
        if not text.strip():
            return
        if self.edit_id:
            await service.edit(who, self.number, self.edit_id, text)
        else:
            await service.send(who, self.number, self.contact, "text", text, as_owner=self.as_owner, quote=self.quote_id or None)
        self._clear_composer()

    @action
    async def attach(self, kind: str) -> None:
        """Send a sample of another kind."""
        who = await self._who()
        await self._services().phone.send(who, self.number, self.contact, kind, as_owner=self.as_owner, quote=self.quote_id or None)
        self._clear_composer()

    @action
    async def write_as(self, owner: bool) -> None:
        """Write as the contact, or as the owner on the linked phone itself (AI-8)."""
        self.as_owner = owner

    @action
    async def reply_to(self, wa_id: str, text: str) -> None:
        """The next message answers this one."""
        self._clear_composer()
        self.quote_id, self.quote_text = wa_id[:80], text[:200] or "A message"

    @action
    async def begin_edit(self, wa_id: str, text: str) -> None:
        """Put a message into the composer to change it."""
        self._clear_composer()
        self.edit_id, self.draft = wa_id[:80], text

    @action
    async def cancel(self) -> None:
        """Neither reply nor edit."""
        self._clear_composer()

    @action
    async def react(self, wa_id: str, emoji: str) -> None:
        """The contact reacts."""
        await self._services().phone.react(await self._who(), self.number, wa_id, emoji)

    @action
    async def delete(self, wa_id: str) -> None:
        """The writer deletes a message for everyone."""
        await self._services().phone.revoke(await self._who(), self.number, wa_id)

    @action
    async def vote(self, wa_id: str, option: str, chosen: bool) -> None:
        """The contact votes, or takes the vote back."""
        await self._services().phone.vote(await self._who(), self.number, wa_id, [] if chosen else [option])

    @action
    async def call(self) -> Any:
        """The contact calls the account."""
        await self._services().phone.call(await self._who(), self.number, self.contact)
        return toast_ok("It rings at the account")

    @action
    async def set_online(self, online: bool) -> None:
        """Switch the contact's own phone on or off."""
        await self._services().phone.set_online(await self._who(), self.number, self.contact, online)

    @action
    async def set_timer(self, seconds: int) -> None:
        """Let the messages of this chat disappear after a time, or no longer."""
        await self._services().phone.set_timer(await self._who(), self.number, self.contact, seconds)

    def _clear_composer(self) -> None:
        self.quote_id = self.quote_text = self.edit_id = self.draft = ""
        self.edition += 1

    # -- what goes wrong on purpose

    @action
    async def switch(self, name: str, on: bool) -> None:
        """Set one switch of the phone's link."""
        value = {"slow_ms": SLOW_MS if on else 0, "restricted": "463" if on else "", "fail_sends": 1 if on else 0}.get(name, on)
        await self._services().phone.switch(await self._who(), self.number, name, value)
        self.switches = {**self.switches, name: on}

    @action
    async def happen(self, what: str) -> Any:
        """Break, end or restore the link."""
        await self._services().phone.happen(await self._who(), self.number, what)
        return toast_ok("Done", "The accounts page shows what the dashboard made of it.")

    @action
    async def replay(self) -> Any:
        """Sync old messages to the account (ACC-8)."""
        count = await self._services().phone.replay_history(await self._who(), self.number, HISTORY)
        return toast_ok(f"{count} old messages were synced")
