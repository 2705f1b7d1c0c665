"""Receipts, calls and messages that cannot be opened yet."""

from __future__ import annotations

import pytest

from tests.multidevice.convert.build import AT, CARLA, CARLA_ADDRESS, CARLA_HIDDEN, DEV, GROUP, GROUP_ADDRESS, OWN, Notes, info, jid, source
from whatsapp_dashboard.domain.engine_events import MessageReceived, Receipt, ReceiptKind
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.calls import call_event
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.receipts import receipt_events
from whatsapp_dashboard.engines.multidevice.host.convert.undecryptable import waiting_event
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb

T = neonize_pb.Receipt


def receipt(type: T.ReceiptType, where: neonize_pb.MessageSource | None = None, ids: tuple[str, ...] = ("A", "B")) -> list[Receipt]:
    made = T(MessageSource=where or source(CARLA), MessageIDs=ids, Timestamp=AT, Type=type)
    return receipt_events(T.FromString(made.SerializeToString()), Notes())


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        (T.DELIVERED, ReceiptKind.DELIVERED),
        (T.INACTIVE, ReceiptKind.DELIVERED),
        (T.READ, ReceiptKind.READ),
        (T.PLAYED, ReceiptKind.READ),
    ],
)
def test_a_receipt_of_the_contact_moves_our_messages_on(type: T.ReceiptType, kind: ReceiptKind) -> None:
    """MSG-4: an inactive device has it too; a voice message that was played was read."""
    assert receipt(type) == [Receipt(("A", "B"), kind, time_of(AT), chat=CARLA_ADDRESS)]


@pytest.mark.parametrize("type", [T.READ_SELF, T.PLAYED_SELF, T.SERVER_ERROR, T.RETRY, T.SENDER, T.PEER_MSG, T.HISTORY_SYNC])
def test_what_devices_tell_each_other_is_no_receipt(type: T.ReceiptType) -> None:
    """MSG-4: read-self, retries, and the value this library uses for played-self."""
    assert receipt(type) == []


def test_receipts_of_our_own_other_devices_are_no_sign_of_the_contact() -> None:
    """MSG-11: our phone got a copy; that proves nothing."""
    assert receipt(T.DELIVERED, source(CARLA, OWN, from_me=True)) == []
    assert receipt(T.DELIVERED, source(CARLA, OWN)) == []


def test_a_receipt_of_a_group_member_belongs_to_the_group() -> None:
    """MSG-4."""
    (found,) = receipt(T.READ, source(GROUP, CARLA_HIDDEN))
    assert (found.chat, found.kind) == (GROUP_ADDRESS, ReceiptKind.READ)


def test_a_receipt_without_ids_says_nothing() -> None:
    """MSG-4."""
    assert receipt(T.READ, ids=()) == receipt(T.READ, ids=("",)) == []


def meta(caller: str, alt: str = "") -> neonize_pb.BasicCallMeta:
    made = neonize_pb.BasicCallMeta(timestamp=AT, callCreator=jid(caller), callCreatorAlt=jid(alt), callID="C1")
    getattr(made, "from").CopyFrom(jid(caller))
    return made


def test_a_call_tells_who_calls_and_whether_with_video() -> None:
    """MSG-1: by the offer's parts."""
    remote = neonize_pb.CallRemoteMeta(remotePlatform="android", remoteVersion="2")
    for tags, video in ((["audio"], False), (["audio", "video"], True)):
        node = neonize_pb.Node(Tag="offer", Nodes=[neonize_pb.Node(Tag=tag) for tag in tags])
        offer = neonize_pb.CallOffer(basicCallMeta=meta("999@lid", DEV), callRemoteMeta=remote, data=node)
        (found,) = call_event(offer, Notes())
        assert (str(found.chat), found.chat.lid, found.video, found.at) == (DEV, "999", video, time_of(AT))


def test_the_notice_of_a_group_call_names_the_caller() -> None:
    """MSG-1."""
    notice = neonize_pb.CallOfferNotice(basicCallMeta=meta(CARLA), media="video", type="group", data=neonize_pb.Node(Tag="offer_notice"))
    (found,) = call_event(notice, Notes())
    assert (found.chat, found.video) == (CARLA_ADDRESS, True)


def test_a_call_we_make_on_the_phone_is_not_told() -> None:
    """MSG-1."""
    notice = neonize_pb.CallOfferNotice(basicCallMeta=meta(OWN), media="audio", type="", data=neonize_pb.Node(Tag="offer_notice"))
    assert call_event(notice, Notes()) == []


def undecryptable(mode: neonize_pb.UndecryptableMessage.DecryptFailModeT, category: str = "") -> MessageReceived | None:
    made = neonize_pb.UndecryptableMessage(Info=info(), IsUnavailable=True, DecryptFailMode=mode)
    made.Info.Category = category
    return waiting_event(made, Notes())


def test_a_message_that_cannot_be_opened_yet_is_announced() -> None:
    """MSG-1: people see that something came."""
    found = undecryptable(neonize_pb.UndecryptableMessage.DECRYPT_FAIL_SHOW)
    assert found is not None
    assert (found.wa_id, found.chat, found.content.type) == ("3EB0AA", CARLA_ADDRESS, MessageType.UNSUPPORTED)
    assert found.content.text == "Waiting for this message. It may arrive when the phone is online, or be shown on the phone only."


def test_a_reaction_or_edit_that_cannot_be_opened_is_not_announced() -> None:
    """MSG-1: the sender marks them to be hidden."""
    assert undecryptable(neonize_pb.UndecryptableMessage.DECRYPT_FAIL_HIDE) is None


def test_what_our_phone_tells_its_linked_devices_is_not_announced() -> None:
    """MSG-1: keys and history notices, when they cannot be opened."""
    assert undecryptable(neonize_pb.UndecryptableMessage.DECRYPT_FAIL_SHOW, "peer") is None
