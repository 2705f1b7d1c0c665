"""Who is who: one contact and one conversation per person, whatever address WhatsApp uses for them (MSG-10).

A :class:`ContactBook` holds the contacts and conversations one write is about: loaded together, changed in memory, saved
together. Whoever creates or merges contacts does it here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.domain.ids import Address, new_id, phone_variants
from whatsapp_dashboard.messages.contact_entries import ContactEntry, ConversationEntry, absorb
from whatsapp_dashboard.messages.waiting import recount
from whatsapp_dashboard.models import Contact, Conversation, Message, Note, Reply
from whatsapp_dashboard.models.base import metadata

_CONTACT, _CONVERSATION = metadata.tables[str(Contact.__tablename__)], metadata.tables[str(Conversation.__tablename__)]
_MESSAGE, _NOTE, _REPLY = (metadata.tables[str(table.__tablename__)] for table in (Message, Note, Reply))
_ACCOUNT_LOCK = 0x5741_0001


_CONVERSATION_COLUMNS = [field.name for field in fields(ConversationEntry)]
_CONTACT_COLUMNS = [field.name for field in fields(ContactEntry)]


async def lock_accounts(session: AsyncSession, account_ids: Iterable[str]) -> None:
    """Make the writes about contacts of one account follow each other, until this write ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for account_id in sorted(set(account_ids)):
        await session.execute(text("SELECT pg_advisory_xact_lock(:space, hashtext(:id))"), {"space": _ACCOUNT_LOCK, "id": account_id})


class ContactBook:
    """The contacts and conversations of one write. Call :meth:`load` first and :meth:`save` last."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session = session
        self.now = now
        self._by_key: dict[tuple[str, str, str], ContactEntry] = {}
        self._by_id: dict[str, ContactEntry] = {}
        self._conversations: dict[str, ConversationEntry] = {}
        self._stored: set[str] = set()
        self._changed_contacts: dict[str, ContactEntry] = {}
        self._changed_conversations: dict[str, ConversationEntry] = {}
        self._merges: list[tuple[str, str, str | None, str | None]] = []
        self._moved: dict[str, str] = {}
        self._mixed: list[ConversationEntry] = []
        self.created: list[ConversationEntry] = []
        self.merged: list[tuple[ConversationEntry, str]] = []
        """Surviving conversation and the id of the one that was merged into it."""

    # -- reading

    async def load(self, wanted: Iterable[tuple[str, Address]]) -> None:
        """Fetch all contacts that may be meant by the ``wanted`` (account, address) pairs, with their conversations."""
        values: dict[str, set[str]] = {"phone": set(), "lid": set(), "jid": set()}
        accounts: set[str] = set()
        for account_id, address in wanted:
            accounts.add(account_id)
            if address.phone:
                values["phone"].update(phone_variants(address.phone))
            if address.lid:
                values["lid"].add(address.lid)
            if address.jid:
                values["jid"].add(address.jid)
        for kind, some in values.items():
            if some:
                await self._fetch(_CONTACT.c.account_id.in_(accounts), _CONTACT.c[kind].in_(some))

    async def load_ids(self, ids: Iterable[str]) -> None:
        """Fetch contacts by their ids, with their conversations."""
        missing = [one for one in set(ids) if one not in self._by_id]
        if missing:
            await self._fetch(_CONTACT.c.id.in_(missing))

    async def _fetch(self, *conditions: Any) -> None:
        columns = [_CONTACT.c[name] for name in _CONTACT_COLUMNS]
        rows = await self._session.execute(select(*columns).where(*conditions).order_by(_CONTACT.c.id).with_for_update())
        fresh = [entry for row in rows if (entry := ContactEntry(*row)).id not in self._by_id]
        for entry in fresh:
            self._by_id[entry.id] = entry
            self._stored.add(entry.id)
            self._index(entry)
        if not fresh:
            return
        columns = [_CONVERSATION.c[name] for name in _CONVERSATION_COLUMNS]
        statement = select(*columns).where(_CONVERSATION.c.contact_id.in_([entry.id for entry in fresh]))
        for row in await self._session.execute(statement.order_by(_CONVERSATION.c.id).with_for_update()):
            conversation = ConversationEntry(*row)
            self._conversations[conversation.contact_id] = conversation
            self._stored.add(conversation.id)

    async def with_twins(self, contact_id: str) -> ContactEntry | None:
        """The contact with this id, with those that are the same person under another way to write the number merged into it."""
        await self.load_ids([contact_id])
        found = self.by_id(contact_id)
        if found is None or not found.phone or len(phone_variants(found.phone)) == 1:
            return found
        await self.load([(found.account_id, found.address)])
        return self.resolve(found.account_id, found.address, reported=False)

    def find(self, account_id: str, address: Address) -> ContactEntry | None:
        """The contact behind ``address``, if there is one."""
        if address.jid:
            return self._by_key.get((account_id, "jid", address.jid))
        return self._by_phone(account_id, address.phone) or self._by_lid(account_id, address.lid)

    def by_id(self, contact_id: str) -> ContactEntry | None:
        """The contact that now stands for ``contact_id``, also after a merge in this write."""
        while contact_id in self._moved:
            contact_id = self._moved[contact_id]
        return self._by_id.get(contact_id)

    def conversation(self, contact: ContactEntry) -> ConversationEntry | None:
        """The conversation with ``contact``, if there is one."""
        return self._conversations.get(contact.id)

    # -- changing

    def resolve(self, account_id: str, address: Address, *, reported: bool = True) -> ContactEntry:
        """The contact behind ``address``: made when new, completed with what the address tells, and merged when it shows that
        two contacts are one person. ``reported`` says that WhatsApp gave it: then its way to write the number is the right one."""
        if address.jid:
            entry = self._by_key.get((account_id, "jid", address.jid))
            return entry or self._create(account_id, address)
        self._merge_twins(account_id, address.phone)
        by_phone, by_lid = self._by_phone(account_id, address.phone), self._by_lid(account_id, address.lid)
        if by_phone and by_lid and by_phone is not by_lid:
            if by_phone.lid not in (None, address.lid):
                self._set(by_phone, phone=None)  # the number went to another person
                entry = by_lid
            else:
                entry = self._merge(by_phone, by_lid)
        else:
            entry = by_phone or by_lid or self._create(account_id, address)
        phone = (address.phone or entry.phone) if reported else (entry.phone or address.phone)
        self._set(entry, phone=phone, lid=address.lid or entry.lid)
        return entry

    def name(self, entry: ContactEntry, *, push_name: str = "", name: str = "") -> None:
        """Keep the names WhatsApp told; a name given by an operator stays."""
        if push_name and entry.push_name != push_name[:255]:
            entry.push_name = push_name[:255]
            self._changed_contacts[entry.id] = entry
        if name and not entry.name:
            entry.name = name[:255]
            self._changed_contacts[entry.id] = entry

    def open(self, contact: ContactEntry, at: datetime) -> ConversationEntry:
        """The conversation with ``contact``, made when there is none; ``at`` is the time of its first message."""
        found = self._conversations.get(contact.id)
        if found is None:
            found = ConversationEntry(new_id(), contact.account_id, contact.id, self.now, at)
            self._conversations[contact.id] = found
            self.created.append(found)
        return found

    def touch(self, conversation: ConversationEntry) -> None:
        """``conversation`` was changed: save it."""
        self._changed_conversations[conversation.id] = conversation

    def approached(self, contact: ContactEntry, at: datetime) -> None:
        """We wrote first to this person, who had never written (ACC-11)."""
        if contact.approached_at is None:
            contact.approached_at = at
            self._changed_contacts[contact.id] = contact

    def _merge_twins(self, account_id: str, phone: str | None) -> None:
        """Make one contact of those whose numbers are ways to write one: WhatsApp has one person there (MSG-10). Two hidden identities
        are two people; the number that WhatsApp wrote to us from is the one that stays."""
        known = [e for v in sorted(phone_variants(phone or "")) if (e := self._by_key.get((account_id, "phone", v)))]
        if len(known) < 2 or len({entry.lid for entry in known if entry.lid}) == 2:
            return
        right = max(known, key=self._how_sure).phone
        self._set(self._merge(*known), phone=right)

    def _how_sure(self, entry: ContactEntry) -> tuple[bool, float]:
        """Of two ways to write a number, the greater is the one that WhatsApp itself used."""
        conversation = self._conversations.get(entry.id)
        heard = conversation.last_inbound_at if conversation else None
        return entry.lid is not None, heard.timestamp() if heard else 0.0

    def _by_phone(self, account_id: str, phone: str | None) -> ContactEntry | None:
        if not phone:
            return None
        found = self._by_key.get((account_id, "phone", phone))
        return found or next((e for v in phone_variants(phone) if (e := self._by_key.get((account_id, "phone", v)))), None)

    def _by_lid(self, account_id: str, lid: str | None) -> ContactEntry | None:
        return self._by_key.get((account_id, "lid", lid)) if lid else None

    def _index(self, entry: ContactEntry) -> None:
        for key in entry.names():
            self._by_key[key] = entry

    def _create(self, account_id: str, address: Address) -> ContactEntry:
        entry = ContactEntry(new_id(), account_id, self.now, address.kind.value, address.phone, address.lid, address.jid)
        self._by_id[entry.id] = entry
        self._index(entry)
        return entry

    def _set(self, entry: ContactEntry, **values: str | None) -> None:
        if all(getattr(entry, name) == value for name, value in values.items()):
            return
        for key in entry.names():
            self._by_key.pop(key, None)
        for name, value in values.items():
            setattr(entry, name, value)
        self._index(entry)
        self._changed_contacts[entry.id] = entry

    def _merge(self, one: ContactEntry, other: ContactEntry) -> ContactEntry:
        """Make one contact of two; the one that is stored, and of two stored ones the older, stays."""
        winner, loser = sorted((one, other), key=lambda e: (e.id not in self._stored, e.id))
        kept, gone = self._conversations.get(winner.id), self._conversations.pop(loser.id, None)
        if kept and gone and kept.id not in self._stored and gone.id in self._stored:
            absorb(gone, kept)
            self._mixed.append(gone)
            self.created.remove(kept)
            kept = None
        if gone and not kept:
            gone.contact_id = winner.id
            self._conversations[winner.id] = gone
            self.touch(gone)
        elif gone and kept:
            absorb(kept, gone)
            self._mixed.append(kept)
            self.touch(kept)
            self._changed_conversations.pop(gone.id, None)
            if gone.id in self._stored:
                self.merged.append((kept, gone.id))
            else:
                self.created.remove(gone)
        if loser.id in self._stored:
            both_stored = kept is not None and gone is not None and gone.id in self._stored
            self._merges.append((loser.id, winner.id, gone.id if gone and both_stored else None, kept.id if kept and both_stored else None))
        for key in loser.names():
            self._by_key.pop(key, None)
        self._by_id.pop(loser.id)
        self._changed_contacts.pop(loser.id, None)
        self._moved[loser.id] = winner.id
        lid, phone = winner.lid or loser.lid, winner.phone or loser.phone
        winner.name, winner.push_name = winner.name or loser.name, winner.push_name or loser.push_name
        winner.opted_out = winner.opted_out or loser.opted_out
        winner.approached_at = min((at for at in (winner.approached_at, loser.approached_at) if at), default=None)
        self._changed_contacts[winner.id] = winner
        self._set(winner, phone=phone, lid=lid)
        return winner

    # -- writing

    async def save(self) -> None:
        """Write all changes since the last save, in bulk. Messages are inserted after this, so that what they point to exists."""
        contacts = [entry for entry in self._by_id.values() if entry.id not in self._stored]
        conversations = [entry for entry in self._conversations.values() if entry.id not in self._stored]
        await self._save_conversation_owners()
        if self._changed_contacts:
            changed = [entry for entry in self._changed_contacts.values() if entry.id in self._stored]
            # Who gives up a number or LID does so before another takes it.
            changed.sort(key=lambda entry: (entry.phone is not None, entry.lid is not None, entry.id))
            await self._update(_CONTACT, ("phone", "lid", "name", "push_name", "opted_out", "approached_at"), changed)
        if contacts:
            await self._session.execute(insert(_CONTACT), [_row(entry, _CONTACT_COLUMNS) for entry in contacts])
        if conversations:
            await self._session.execute(insert(_CONVERSATION), [_row(entry, _CONVERSATION_COLUMNS) for entry in conversations])
        changed_conversations = [entry for entry in self._changed_conversations.values() if entry.id in self._stored]
        names = tuple(name for name in _CONVERSATION_COLUMNS if name not in ("id", "account_id", "created_at"))
        await self._update(_CONVERSATION, names, sorted(changed_conversations, key=lambda entry: entry.id))
        self._stored.update([entry.id for entry in contacts] + [entry.id for entry in conversations])
        recount(self._session, [entry.id for entry in self._mixed])
        for done in (self._changed_contacts, self._changed_conversations, self._merges, self._mixed):
            done.clear()

    async def _save_conversation_owners(self) -> None:
        """Move what hangs on merged contacts and conversations, then delete those."""
        run = self._session.execute
        for loser, winner, gone, kept in self._merges:
            twin = _MESSAGE.alias("twin")
            same = select(twin.c.id).where(
                twin.c.contact_id == winner, twin.c.wa_id == _MESSAGE.c.wa_id, twin.c.direction == _MESSAGE.c.direction
            )
            await run(delete(_MESSAGE).where(_MESSAGE.c.contact_id == loser, same.exists()))
            values = {"contact_id": winner} | ({"conversation_id": kept} if kept else {})
            await run(update(_MESSAGE).where(_MESSAGE.c.contact_id == loser).values(values))
            if gone and kept:
                await run(update(_NOTE).where(_NOTE.c.conversation_id == gone).values(conversation_id=kept))
                await run(update(_REPLY).where(_REPLY.c.conversation_id == gone).values(conversation_id=kept))
                await run(delete(_CONVERSATION).where(_CONVERSATION.c.id == gone))
            else:
                await run(update(_CONVERSATION).where(_CONVERSATION.c.contact_id == loser).values(contact_id=winner))
            await run(delete(_CONTACT).where(_CONTACT.c.id == loser))

    async def _update(self, table: Any, names: tuple[str, ...], entries: list[Any]) -> None:
        if not entries:
            return
        statement = update(table).where(table.c.id == bindparam("_id")).values({name: bindparam(f"_{name}") for name in names})
        rows = [{"_id": entry.id} | {f"_{name}": getattr(entry, name) for name in names} for entry in entries]
        connection = await self._session.connection()
        await connection.execute(statement, rows)


def _row(entry: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in names}
