"""What operators do with messages: write, answer, edit, delete, react, send again, share places, contacts and polls (MSG-1, MSG-7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MessageType, Poll
from whatsapp_dashboard.errors import AppError, Invalid
from whatsapp_dashboard.ui.components import toast_error, toast_ok
from whatsapp_dashboard.ui.inbox.bubbles import Bubble, lay_out, split_links
from whatsapp_dashboard.ui.inbox.state import InboxState
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.state import PageState, action

INPUT_ID = "composer-text"
DIALOGS = ("location", "contact", "poll", "new", "rename", "help")


class ComposeState(PageState):
    """The writing part of the thread."""

    note: bool = False
    """Whether what is written stays inside."""
    reply_id: str = ""
    reply_name: str = ""
    reply_text: str = ""
    edit_id: str = ""
    react_id: str = ""
    """The message whose choice of reactions is open."""
    delete_id: str = ""
    delete_note: bool = False
    again_id: str = ""
    """The message in doubt about which is asked whether to send it again."""
    dialog: str = ""
    dialog_error: str = ""

    @action
    async def write_note(self, on: bool) -> Any:
        """Choose between a reply that goes out and a note that stays inside."""
        self.note, self.reply_id, self.edit_id = on, "", ""
        return rx.set_focus(INPUT_ID)

    @action
    async def submit(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Send what was written: as a message, a note, or the new text of a message."""
        text, conversation_id = str(form.get("text", "")), str(form.get("conversation_id", ""))
        thread = await self.get_state(ThreadState)
        if not text.strip():
            return
        if conversation_id != thread.conversation_id:
            yield toast_error("The conversation changed while you wrote.", "Nothing was sent; open it again and repeat.")
            return
        try:
            if self.note:
                await self._services().conversations.add_note(await self._who(), conversation_id, text)
            elif self.edit_id:
                await self._services().messages.edit(await self._who(), self.edit_id, text.strip())
                self.edit_id = ""
                yield toast_ok("The new text is on its way")
            else:
                async for event in self._send_text(thread, text):
                    yield event
        except AppError as error:
            # What was written comes back into the field.
            yield rx.set_value(INPUT_ID, text)
            yield toast_error(error.message)

    async def _send_text(self, thread: ThreadState, text: str) -> AsyncIterator[Any]:
        quoted = thread._quotable(self.reply_id)
        stand_in = await self._stand_in(thread, text, quoted)
        self.reply_id = ""
        yield None
        try:
            who = await self._who()
            content = await self._quoting(Content(MessageType.TEXT, text.strip()), quoted)
            message = await self._services().messages.send(who, thread.head.account_id, content, conversation_id=thread.conversation_id)
        except Exception:
            thread.items = [one for one in thread.items if one.id != stand_in]
            raise
        await thread._put_message(who, message.id, stand_in)

    async def _stand_in(self, thread: ThreadState, text: str, quoted: Bubble | None) -> str:
        """Show the message at once, before it is stored; returns the id it has until then."""
        now, zone = self._services().clock.now(), (await self.get_state(InboxState)).zone
        made = Bubble(
            id=f"new-{new_id()}", at=now.isoformat(), mine=True, text=text.strip(), parts=split_links(text.strip()), status="queued",
            quoted_id=quoted.id if quoted else "", quoted_name=self.reply_name if quoted else "",
            quoted_text=quoted.text if quoted else "", quoted_type=quoted.type if quoted else "",
        )  # fmt: skip
        thread.items = lay_out([*thread.items, made], now, zone)
        return made.id

    async def _quoting(self, content: Content, quoted: Bubble | None) -> Content:
        if quoted is None:
            return content
        detail = await self._services().message_log.get(await self._who(), quoted.id)
        return Content(
            content.type, content.text, location=content.location, contacts=content.contacts, poll=content.poll,
            quoted_id=detail.wa_id or None, quoted_from_me=quoted.mine,
        )  # fmt: skip

    @action
    async def reply_to(self, message_id: str) -> Any:
        """Answer this message; an empty id answers none."""
        thread = await self.get_state(ThreadState)
        quoted = thread._quotable(message_id)
        self.reply_id, self.edit_id, self.note = quoted.id if quoted else "", "", False
        if quoted:
            self.reply_name = "You" if quoted.mine else quoted.sender or thread.head.name
            self.reply_text = quoted.text or quoted.file or quoted.place or quoted.type.capitalize()
        return rx.set_focus(INPUT_ID)

    @action
    async def edit(self, message_id: str) -> Any:
        """Put the text of this message into the field to change it; an empty id gives that up."""
        thread = await self.get_state(ThreadState)
        found = next((one for one in thread.items if one.id == message_id and one.editable), None)
        self.edit_id, self.reply_id, self.note = found.id if found else "", "", False
        return [rx.set_value(INPUT_ID, found.text if found else ""), rx.set_focus(INPUT_ID)]

    @action
    async def cancel(self) -> Any:
        """Neither answer nor edit."""
        was_edit = bool(self.edit_id)
        self.reply_id = self.edit_id = self.react_id = ""
        return rx.set_value(INPUT_ID, "") if was_edit else None

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
        await thread._put_message(who, made.id)

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
