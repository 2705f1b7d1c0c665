"""The simulated owner's phone: what its companions and its contacts get, read by a Signal device of our own."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest

from tests.peer import blobs
from tests.peer.accounts import Device
from tests.peer.app_state import CRITICAL_BLOCK, CRITICAL_UNBLOCK_LOW, AppState, push_name
from tests.peer.binary_xml import JID, Node
from tests.peer.ciphers import KeyPair
from tests.peer.phones import Phones
from tests.peer.server import Server
from tests.peer.signal import SignalDevice, SignalError
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, history_pb, server_sync_pb, web_pb

ANA, CARLA = "15550000001", "15550000002"


class Companion:
    """A linked device that reads what is delivered to it."""

    def __init__(self, server: Server, number: str, name: str) -> None:
        self.signal = SignalDevice(prekeys={1: KeyPair.generate()})
        self.account = server.account(number, name)
        bundle = self.signal.bundle()
        self.device = Device(
            self.account,
            1,
            bundle.registration_id.to_bytes(4, "big"),
            bundle.identity,
            (bundle.signed_prekey_id.to_bytes(3, "big"), bundle.signed_prekey, bundle.signature),
            prekeys=[(b"\x00\x00\x01", self.signal.prekeys[1].public)],
        )
        self.account.devices[1] = self.device

    def inbox(self) -> list[tuple[dict[str, Any], e2e_pb.Message]]:
        """What came since it was last asked: attributes and content of each message."""
        nodes = list(self.device.queue.values())
        self.device.queue.clear()
        return [(node.attrs, self._read(node)) for node in nodes if node.tag == "message"]

    def _read(self, node: Node) -> e2e_pb.Message:
        sealed = node.child("enc")
        return e2e_pb.Message.FromString(self.signal.open("phone", sealed.attrs["type"], sealed.content))

    def seal(self, phone: SignalDevice, message: e2e_pb.Message) -> Node:
        """An ``enc`` node for a phone."""
        return Node("enc", {"v": "2", "type": "pkmsg"}, self.signal.seal("phone", phone.bundle(), message.SerializeToString()))


@pytest.fixture
def server() -> Server:
    """A server that nobody is connected to: everything delivered waits in the devices' queues."""
    return Server()


@pytest.fixture
def ana(server: Server) -> Companion:
    """The owner's companion."""
    return Companion(server, ANA, "Ana")


@pytest.fixture
def carla(server: Server) -> Companion:
    """The contact's device."""
    return Companion(server, CARLA, "Carla")


@pytest.fixture
def phones(server: Server, ana: Companion, carla: Companion) -> Phones:
    """The phones of both."""
    return server.phones


async def test_what_the_owner_writes_reaches_the_contact_and_the_companion(phones: Phones, ana: Companion, carla: Companion) -> None:
    """The companion gets a copy that names the chat, under the same id (AI-8, MSG-7)."""
    sent = await phones.owner_sends(ANA, f"+{CARLA}", "I take over")
    ((seen, message),) = carla.inbox()
    assert (seen["id"], seen["from"].user, seen["sender_pn"].user, message.conversation) == (sent, ana.account.lid, ANA, "I take over")
    ((copied, copy),) = ana.inbox()
    assert (copied["id"], copied["recipient"].user, copied["peer_recipient_pn"].user) == (sent, carla.account.lid, CARLA)
    assert copy.deviceSentMessage.destinationJID == f"{CARLA}@s.whatsapp.net"
    assert copy.deviceSentMessage.message.conversation == "I take over"
    assert [entry["text"] for entry in await phones.owner_sees(ANA)] == ["I take over"]
    assert [(entry["chat"], entry["from_me"]) for entry in await phones.owner_sees(CARLA)] == [(ANA, False)]


async def test_a_device_that_cannot_read_a_message_gets_it_again(phones: Phones, ana: Companion, carla: Companion) -> None:
    """Under the same id, in a new session (MSG-3)."""
    sent = await phones.owner_sends(ANA, CARLA, "Hello", spoilt=True)
    with pytest.raises(SignalError, match="MAC"):
        carla.inbox()
    receipt = Node("receipt", {"id": sent, "type": "retry"}, [Node("retry", {"id": sent, "count": "1"})])
    await phones.asked_again(ana.account, carla.device, receipt)
    ((seen, message),) = carla.inbox()
    assert (seen["id"], message.conversation) == (sent, "Hello")


@pytest.mark.parametrize(
    ("mimetype", "part"),
    [("image/png", "imageMessage"), ("video/mp4", "videoMessage"), ("audio/ogg", "audioMessage"), ("application/pdf", "documentMessage")],
)
async def test_files_of_the_owner_can_be_fetched(phones: Phones, server: Server, carla: Companion, mimetype: str, part: str) -> None:
    """Encrypted on the media servers, the key in the message (MSG-1, MSG-9)."""
    await phones.owner_sends_file(ANA, CARLA, base64.b64encode(b"a file").decode(), mimetype, "See this", "file.bin")
    ((seen, message),) = carla.inbox()
    sent = getattr(message, part)
    kind = f"WhatsApp {part.removesuffix('Message').capitalize()} Keys".encode()
    assert (seen["type"], sent.mimetype) == ("media", mimetype)
    assert blobs.decrypt(server.media[sent.directPath.split("/")[-1].split("?")[0]], sent.mediaKey, kind) == b"a file"


async def test_messages_to_a_group_reach_each_member(phones: Phones, server: Server, ana: Companion, carla: Companion) -> None:
    """Under the group's address, with the owner as participant (ACC-8)."""
    server.groups["1203630"] = {"subject": "Team", "members": [ana.account.lid, carla.account.lid]}
    await phones.owner_sends(ANA, "1203630@g.us", "Hello team")
    for companion in (ana, carla):
        ((seen, message),) = companion.inbox()
        assert (str(seen["from"]), seen["participant"].user, message.conversation) == ("1203630@g.us", ana.account.lid, "Hello team")


async def test_the_owner_edits_reacts_and_takes_back(phones: Phones, carla: Companion) -> None:
    """Each names the message it is about (MSG-1)."""
    sent = await phones.owner_sends(ANA, CARLA, "Helo")
    await phones.owner_edits(ANA, CARLA, sent, "Hello")
    await phones.owner_reacts(ANA, CARLA, sent, "👍", from_me=True)
    await phones.owner_revokes(ANA, CARLA, sent)
    _, (edit_attributes, edit), (_, reaction), (revoke_attributes, revoke) = carla.inbox()
    inner = edit.editedMessage.message.protocolMessage
    assert (edit_attributes["edit"], inner.key.ID, inner.editedMessage.conversation) == ("1", sent, "Hello")
    assert (reaction.reactionMessage.key.ID, reaction.reactionMessage.text) == (sent, "👍")
    assert (revoke_attributes["edit"], revoke.protocolMessage.key.ID) == ("7", sent)
    assert revoke.protocolMessage.type == e2e_pb.ProtocolMessage.REVOKE


async def test_a_chat_that_the_owner_opens_is_read_for_both_sides(phones: Phones, ana: Companion, carla: Companion) -> None:
    """The contact's device and the companion each get a read receipt (MSG-4)."""
    await phones.owner_reads(ANA, CARLA, ["3EB01", "3EB02"])
    (theirs,), (own,) = carla.device.queue.values(), ana.device.queue.values()
    assert (theirs.attrs["type"], theirs.attrs["id"]) == ("read", "3EB01")
    assert [item.attrs["id"] for item in theirs.child("list").children()] == ["3EB02"]
    assert own.attrs["recipient"].user == carla.account.lid


async def test_a_linked_companion_learns_the_push_name_and_contacts(phones: Phones, server: Server, ana: Companion) -> None:
    """Once, when it is first online: the key, and with it what the server holds (ACC-7)."""
    await phones.share_contacts(ANA, {CARLA: "Carla Gomez"})
    ana.device.queue.clear()
    await phones.companion_online(ana.device)
    await phones.companion_online(ana.device)
    ((attributes, message),) = ana.inbox()
    assert attributes["category"] == "peer"
    shared = message.protocolMessage.appStateSyncKeyShare.keys[0]
    reader = AppState(shared.keyID.keyID, shared.keyData.keyData)
    for name in (CRITICAL_BLOCK, CRITICAL_UNBLOCK_LOW):
        snapshot = await _snapshot(phones, server, ana, name)
        reader.collections[name].records = {record.index.blob: record for record in snapshot.records}
    assert reader.read(CRITICAL_BLOCK)[("setting_pushName",)].pushNameSetting.name == "Ana"
    assert reader.read(CRITICAL_UNBLOCK_LOW)["contact", f"{CARLA}@s.whatsapp.net"].contactAction.fullName == "Carla Gomez"


def _query(collection: Node) -> Node:
    """A companion's query for a collection."""
    return Node("iq", {"id": "1", "type": "set", "xmlns": "w:sync:app:state"}, [Node("sync", {}, [collection])])


async def _snapshot(phones: Phones, server: Server, companion: Companion, name: str) -> server_sync_pb.SyncdSnapshot:
    """The collection as a new companion fetches it."""
    asked = Node("collection", {"name": name, "return_snapshot": "true"})
    answer = await phones.sync(companion.device, _query(asked))
    where = server_sync_pb.ExternalBlobReference.FromString(answer.child("collection", "snapshot").content)
    stored = server.media[where.directPath.split("/")[-1].split("?")[0]]
    return server_sync_pb.SyncdSnapshot.FromString(blobs.decrypt(stored, where.mediaKey, blobs.APP_STATE))


async def test_a_change_of_contacts_is_announced_and_sent_as_a_patch(phones: Phones, ana: Companion) -> None:
    """A companion at version 1 gets what came after it (ACC-7)."""
    await phones.share_contacts(ANA, {CARLA: "Carla"})
    await phones.share_contacts(ANA, {CARLA: "Carla Gomez"})
    *_, note = ana.device.queue.values()
    assert (note.attrs["type"], note.child("collection").attrs) == ("server_sync", {"name": CRITICAL_UNBLOCK_LOW, "version": "2"})
    asked = Node("collection", {"name": CRITICAL_UNBLOCK_LOW, "version": "1", "return_snapshot": "false"})
    answer = await phones.sync(ana.device, _query(asked))
    (patch,) = answer.child("collection", "patches").children()
    assert server_sync_pb.SyncdPatch.FromString(patch.content).version.version == 2


async def test_a_companion_may_change_the_push_name(phones: Phones, ana: Companion) -> None:
    """On top of the version it knows; else it has to fetch first (ACC-7)."""
    phone = phones.at(ANA)
    own = AppState(phone.state.key_id, phone.state.key)
    own.accept(CRITICAL_BLOCK, 0, phone.state.collections[CRITICAL_BLOCK].patches[0])
    patch = own.change(CRITICAL_BLOCK, push_name("Ana Shop")).patches[-1].SerializeToString()
    sync = _query(Node("collection", {"name": CRITICAL_BLOCK, "version": "1"}, [Node("patch", {}, patch)]))
    assert (await phones.sync(ana.device, sync)).child("collection").attrs["version"] == "2"
    assert phone.state.read(CRITICAL_BLOCK)[("setting_pushName",)].pushNameSetting.name == "Ana Shop"
    assert (await phones.sync(ana.device, sync)).child("collection", "error").attrs["code"] == "409"


@pytest.mark.parametrize("inline", [False, True])
async def test_history_reaches_the_companions(phones: Phones, server: Server, ana: Companion, inline: bool) -> None:
    """As an encrypted file, or in the message itself (ACC-8)."""
    chat = {"number": CARLA, "name": "Carla", "messages": [{"id": "3A1", "from_me": False, "text": "Long ago", "timestamp": 1700000000}]}
    await phones.share_history(ANA, [chat], inline=inline, kind="recent")
    ((attributes, message),) = ana.inbox()
    note = message.protocolMessage.historySyncNotification
    assert attributes["category"] == "peer"
    packed = note.initialHistBootstrapInlinePayload or blobs.decrypt(
        server.media[note.directPath.split("/")[-1].split("?")[0]], note.mediaKey, blobs.HISTORY
    )
    history = history_pb.HistorySync.FromString(zlib.decompress(packed))
    assert history.conversations[0].messages[0].message.message.conversation == "Long ago"


async def test_the_phone_sees_what_its_companion_and_contacts_write(phones: Phones, ana: Companion, carla: Companion) -> None:
    """Clients encrypt to device 0 too, and the phone can read it (MSG-3)."""
    phone = phones.at(ANA)
    copy = e2e_pb.Message()
    copy.deviceSentMessage.message.conversation = "From the dashboard"
    stanza = Node("message", {"id": "3EB01", "to": JID(CARLA)})
    await phones.arrived(ana.account, ana.device, stanza, ana.seal(phone.signal, copy))
    stanza = Node("message", {"id": "3EB02", "to": JID(ana.account.lid, "lid")})
    await phones.arrived(ana.account, carla.device, stanza, carla.seal(phone.signal, e2e_pb.Message(conversation="Thanks")))
    assert [(entry["chat"], entry["from_me"], entry["text"]) for entry in await phones.owner_sees(ANA)] == [
        (CARLA, True, "From the dashboard"),
        (CARLA, False, "Thanks"),
    ]
    assert phone.swallowed == 2


async def test_a_message_that_the_phone_cannot_read_has_no_content(phones: Phones, ana: Companion) -> None:
    """It stands in the list all the same (MSG-3)."""
    sealed = Node("enc", {"v": "2", "type": "msg"}, b"\x33" * 60)
    await phones.arrived(ana.account, ana.device, Node("message", {"id": "3EB01", "to": JID(CARLA)}), sealed)
    (entry,) = phones.at(ANA).log
    assert (entry.id, entry.message) == ("3EB01", None)


async def _ask(phones: Phones, companion: Companion, request: e2e_pb.Message) -> e2e_pb.Message:
    """What the phone answers to a companion's request."""
    stanza = Node("message", {"id": "3EB0A", "to": JID(ANA), "category": "peer"})
    await phones.arrived(companion.account, companion.device, stanza, companion.seal(phones.at(ANA).signal, request))
    ((_, answer),) = companion.inbox()
    return answer


async def test_the_phone_sends_older_messages_when_asked(phones: Phones, ana: Companion) -> None:
    """Those before the one that the companion has (ACC-10)."""
    ids = [await phones.owner_sends(ANA, CARLA, text) for text in ("one", "two", "three")]
    ana.inbox()
    request = e2e_pb.Message()
    wanted = request.protocolMessage.peerDataOperationRequestMessage
    wanted.peerDataOperationRequestType = e2e_pb.HISTORY_SYNC_ON_DEMAND
    wanted.historySyncOnDemandRequest.chatJID = f"{CARLA}@s.whatsapp.net"
    wanted.historySyncOnDemandRequest.oldestMsgID = ids[2]
    wanted.historySyncOnDemandRequest.onDemandMsgCount = 50
    note = (await _ask(phones, ana, request)).protocolMessage.historySyncNotification
    assert note.peerDataRequestSessionID == "3EB0A"
    history = history_pb.HistorySync.FromString(zlib.decompress(note.initialHistBootstrapInlinePayload))
    assert [entry.message.message.conversation for entry in history.conversations[0].messages] == ["one", "two"]


async def test_the_phone_sends_a_message_again_that_could_not_be_read(phones: Phones, ana: Companion) -> None:
    """With its content, as a phone answers for "waiting for this message" (MSG-3)."""
    sent = await phones.owner_sends(ANA, CARLA, "one")
    ana.inbox()
    request = e2e_pb.Message()
    wanted = request.protocolMessage.peerDataOperationRequestMessage
    wanted.peerDataOperationRequestType = e2e_pb.PLACEHOLDER_MESSAGE_RESEND
    for name in (sent, "unknown"):
        wanted.placeholderMessageResendRequest.add().messageKey.ID = name
    response = (await _ask(phones, ana, request)).protocolMessage.peerDataOperationRequestResponseMessage
    (result,) = response.peerDataOperationResult
    found = web_pb.WebMessageInfo.FromString(result.placeholderMessageResendResponse.webMessageInfoBytes)
    assert (found.key.ID, found.key.fromMe, found.message.conversation) == (sent, True, "one")


async def test_the_phone_shares_its_key_again_when_asked(phones: Phones, ana: Companion) -> None:
    """For a companion that lost it (ACC-7)."""
    request = e2e_pb.Message()
    request.protocolMessage.appStateSyncKeyRequest.keyIDs.add().keyID = b"\x00"
    assert (await _ask(phones, ana, request)).protocolMessage.HasField("appStateSyncKeyShare")
