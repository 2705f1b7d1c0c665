"""What operators do with messages: delete, react, send again, share places, contacts and polls, write to a number (MSG-1, MSG-7).

Texts, replies, notes and changed texts go another way: the browser's outbox sends them to the API (MSG-13)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MessageType, Poll
from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.inbox.number_state import NumberState
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.state import PageState, action

INPUT_ID = "composer-text"
DIALOGS = ("location", "contact", "poll", "new", "rename", "help")


class ComposeState(PageState):
    """What is open beside the composer, and what is done with messages."""

    react_id: str = ""
    """The message whose choice of reactions is open."""
    delete_id: str = ""
    delete_note: bool = False
    again_id: str = ""
    """The message in doubt about which is asked whether to send it again."""
    dialog: str = ""
    dialog_error: str = ""

    @action
    async def choose_reaction(self, message_id: str) -> None:
        """Open the choice of reactions at this message; the same again closes it."""
        self.react_id = "" if message_id == self.react_id else message_id

    @action
    async def react(self, message_id: str, emoji: str) -> Any:
        """Set our reaction, or take it back when it is the one we have."""
        thread = await self.get_state(ThreadState)
        shown = next((one for one in thread.items if one.id == message_id), None)
        self.react_id = ""
        wanted = "" if shown and shown.reacted == emoji else emoji
        await self._services().messages.react(await self._who(), message_id, wanted)
        if thread.head.account_status != "ready":
            return toast_ok("It goes out when the account is connected again")
        return None

    @action
    async def retry(self, message_id: str) -> Any:
        """Send again: a failed message, or one without proof of delivery (MSG-11)."""
        await self._services().messages.retry(await self._who(), message_id)
        return toast_ok("Sending again", "The contact gets it once, even if the first try arrived.")

    @action
    async def ask_again(self, message_id: str) -> None:
        """Ask before a message in doubt is sent again: the contact may get it twice (MSG-11)."""
        self.again_id = message_id

    @action
    async def send_again(self) -> Any:
        """Send the message in doubt again."""
        message_id, self.again_id = self.again_id, ""
        await self._services().messages.retry(await self._who(), message_id)
        return toast_ok("Sending again")

    @action
    async def ask_delete(self, item_id: str, note: bool) -> None:
        """Ask before deleting."""
        self.delete_id, self.delete_note = item_id, note

    @action
    async def stop_asking(self, _open: bool) -> None:
        """Delete nothing, send nothing again."""
        self.delete_id = self.again_id = ""

    @action
    async def delete(self) -> Any:
        """Delete the message for everyone, or the note."""
        item_id, self.delete_id = self.delete_id, ""
        thread = await self.get_state(ThreadState)
        if self.delete_note:
            await self._services().conversations.delete_note(await self._who(), thread.conversation_id, item_id)
            return toast_ok("Note deleted")
        await self._services().messages.revoke(await self._who(), item_id)
        return toast_ok("Deleting for everyone")

    @action
    async def show_dialog(self, name: str) -> None:
        """Open one of the dialogs; an empty name closes it."""
        self.dialog, self.dialog_error = name if name in DIALOGS else "", ""
        (await self.get_state(NumberState))._clear()

    @action
    async def close_dialog(self, _open: bool) -> None:
        """Close whichever dialog is open."""
        self.dialog, self.dialog_error = "", ""

    @action
    async def send_location(self, form: dict[str, Any]) -> Any:
        """Share a place."""
        try:
            latitude, longitude = float(str(form.get("latitude", ""))), float(str(form.get("longitude", "")))
        except ValueError:
            self.dialog_error = "Latitude and longitude are numbers, for example 41.3874 and 2.1686."
            return None
        place = Location(latitude, longitude, str(form.get("name", "")).strip()[:255], str(form.get("address", "")).strip()[:1_000])
        return await self._send(Content(MessageType.LOCATION, location=place))

    @action
    async def send_contact(self, form: dict[str, Any]) -> Any:
        """Share a contact."""
        phones = tuple(part.strip() for part in str(form.get("phones", "")).split(",") if part.strip())
        return await self._send(Content(MessageType.CONTACT, contacts=(ContactCard(str(form.get("name", "")).strip()[:255], phones[:10]),)))

    @action
    async def send_poll(self, form: dict[str, Any]) -> Any:
        """Ask a question with options, one per line."""
        options = tuple(line.strip() for line in str(form.get("options", "")).splitlines() if line.strip())
        question = str(form.get("question", "")).strip()
        poll = Poll(question, options, 0 if form.get("several") else 1)
        return await self._send(Content(MessageType.POLL, question, poll=poll))

    async def _send(self, content: Content) -> Any:
        thread = await self.get_state(ThreadState)
        who = await self._who()
        try:
            made = await self._services().messages.send(who, thread.head.account_id, content, conversation_id=thread.conversation_id)
        except AppError as error:
            self.dialog_error = error.message
            return None
        self.dialog = self.dialog_error = ""
        if thread.newer:
            return ThreadState.to_end  # whoever writes wants to see it
        await thread._put_message(who, made.id)
        return None

    @action
    async def start(self, form: dict[str, Any]) -> Any:
        """Write to a number, in the conversation with it or in a new one."""
        text = str(form.get("text", "")).strip()
        try:
            if not form.get("account"):
                raise Invalid("Choose the account that writes.", field="account")
            made = await self._services().messages.send(
                await self._who(), str(form["account"]), Content(MessageType.TEXT, text), number=str(form.get("number", ""))
            )
        except AppError as error:
            self.dialog_error = error.message
            return None
        self.dialog = self.dialog_error = ""
        return rx.redirect(f"/inbox?c={made.conversation_id}")
