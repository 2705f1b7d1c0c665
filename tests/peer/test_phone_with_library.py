"""The simulated phone, read by the real client library: what it encrypts is what WhatsApp's clients accept (ENG-2, ENG-6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from operator import eq

import pytest

from tests.peer.client import PeerClient
from tests.peer.companion import CompanionProcess
from tests.peer.process import PeerProcess
from tests.support.waiting import until
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, history_pb, neonize_pb

pytestmark = pytest.mark.slow

ANA, CARLA = "15550000001", "15550000002"
CONNECTED, HISTORY, MESSAGE, RECEIPT, UNDECRYPTABLE = 3, 13, 17, 18, 44
"""The library's numbers for its events."""
READ = 4
OLD = {"number": CARLA, "name": "Carla", "messages": [{"id": "3A01", "from_me": False, "text": "Long ago", "timestamp": 1700000000}]}


@asynccontextmanager
async def linked(process: PeerProcess, peer: PeerClient, number: str, name: str) -> AsyncIterator[CompanionProcess]:
    """A companion that was just linked and is online."""
    store = process.descriptor.parent / f"{name}.db"
    async with CompanionProcess(process.descriptor, store) as companion:
        await peer.scan(await companion.wait_for("qr"), number, name)
        await companion.wait_for("event", CONNECTED)
        yield companion


async def next_message(companion: CompanionProcess) -> neonize_pb.Message:
    """The next message of a chat, without the phone's talk with its companion."""
    while True:
        event = neonize_pb.Message.FromString(await companion.wait_for("event", MESSAGE))
        if not event.Message.protocolMessage.HasField("appStateSyncKeyShare"):
            return event


async def becomes(companion: CompanionProcess, question: str, wanted: object) -> None:
    """Ask until the answer is right."""
    await until(partial(companion.ask, question), partial(eq, wanted), pause=0.1)


async def test_the_library_learns_push_name_contacts_and_the_past(peer_process: PeerProcess, peer: PeerClient) -> None:
    """All by itself after linking, and again when the owner changes them (ACC-7, ACC-8)."""
    await peer.phone(ANA, "Ana")
    await peer.share_contacts(ANA, {CARLA: "Carla"})
    await peer.history_on_link(ANA, [OLD])
    async with linked(peer_process, peer, ANA, "Ana") as companion:
        event = neonize_pb.HistorySync.FromString(await companion.wait_for("event", HISTORY))
        (chat,) = event.Data.conversations
        assert (event.Data.syncType, chat.messages[0].message.message.conversation) == (
            history_pb.HistorySync.INITIAL_BOOTSTRAP,
            "Long ago",
        )
        await becomes(companion, "me", "Ana")
        await becomes(companion, "contacts", {CARLA: "Carla"})
        await peer.set_push_name(ANA, "Ana's shop")
        await peer.share_contacts(ANA, {CARLA: "Carla Gomez"})
        await becomes(companion, "me", "Ana's shop")
        await becomes(companion, "contacts", {CARLA: "Carla Gomez"})
        await peer.share_history(ANA, [OLD], kind="recent", inline=True)
        event = neonize_pb.HistorySync.FromString(await companion.wait_for("event", HISTORY))
        assert event.Data.syncType == history_pb.HistorySync.RECENT


async def test_the_library_reads_what_the_owner_writes_on_the_phone(peer_process: PeerProcess, peer: PeerClient) -> None:
    """As its own message in the contact's chat; and the phone reads what the library sends (AI-8, MSG-3)."""
    async with linked(peer_process, peer, ANA, "Ana") as ana, linked(peer_process, peer, CARLA, "Carla") as carla:
        sent = await peer.owner_sends(ANA, CARLA, "I take over")
        own, theirs = await next_message(ana), await next_message(carla)
        source = own.Info.MessageSource
        assert (own.Info.ID, own.Message.conversation, source.IsFromMe, source.RecipientAlt.User) == (sent, "I take over", True, CARLA)
        assert (theirs.Info.ID, theirs.Info.MessageSource.SenderAlt.User, theirs.Info.Pushname) == (sent, ANA, "Ana")
        await peer.owner_edits(ANA, CARLA, sent, "I take over now")
        for event in (await next_message(ana), await next_message(carla)):
            assert event.Message.protocolMessage.editedMessage.conversation == "I take over now"
        await peer.owner_reacts(ANA, CARLA, sent, "👍", from_me=True)
        for event in (await next_message(ana), await next_message(carla)):
            assert (event.Message.reactionMessage.text, event.Message.reactionMessage.key.ID) == ("👍", sent)
        await peer.owner_revokes(ANA, CARLA, sent)
        for event in (await next_message(ana), await next_message(carla)):
            assert event.Message.protocolMessage.type == e2e_pb.ProtocolMessage.REVOKE
        answers = [await ana.send(CARLA, text) for text in ("One", "Two")]
        assert [(await next_message(carla)).Info.ID for _ in answers] == answers
        seen = [(entry["id"], entry["text"]) for entry in await peer.owner_sees(ANA)]
        assert seen[-2:] == list(zip(answers, ("One", "Two"), strict=True))
        written = await carla.send(ANA, "Thanks")
        await next_message(ana)
        await peer.owner_reads(ANA, CARLA, [written])
        while (receipt := neonize_pb.Receipt.FromString(await carla.wait_for("event", RECEIPT))).Type != READ:
            continue
        assert list(receipt.MessageIDs) == [written]


async def test_the_library_asks_again_for_what_it_could_not_read(peer_process: PeerProcess, peer: PeerClient) -> None:
    """It says that a message waits, and gets it a moment later under the same id (MSG-3)."""
    async with linked(peer_process, peer, ANA, "Ana") as companion:
        sent = await peer.owner_sends(CARLA, ANA, "Hello", spoilt=True)
        waiting = neonize_pb.UndecryptableMessage.FromString(await companion.wait_for("event", UNDECRYPTABLE))
        assert sent == waiting.Info.ID
        event = await next_message(companion)
        assert (event.Info.ID, event.Message.conversation) == (sent, "Hello")


async def test_the_library_reads_what_the_owner_writes_to_a_group(peer_process: PeerProcess, peer: PeerClient) -> None:
    """Without a sender key: each device gets it by itself (ACC-8)."""
    async with linked(peer_process, peer, ANA, "Ana") as ana, linked(peer_process, peer, CARLA, "Carla") as carla:
        group = await peer.group("Team", [ANA, CARLA])
        await peer.owner_sends(ANA, group, "Hello team")
        for event, own in ((await next_message(ana), True), (await next_message(carla), False)):
            source = event.Info.MessageSource
            assert (event.Message.conversation, f"{source.Chat.User}@{source.Chat.Server}", source.IsFromMe) == ("Hello team", group, own)
