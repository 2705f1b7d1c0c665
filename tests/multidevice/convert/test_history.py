"""The past a phone hands over (ACC-8, MSG-10)."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.multidevice.convert.build import (
    AT,
    CARLA,
    CARLA_ADDRESS,
    CARLA_HIDDEN,
    CARLA_PHONE,
    CHANNEL,
    DEV,
    DEV_ADDRESS,
    GROUP,
    GROUP_ADDRESS,
    OWN_PHONE,
    STATUS,
    Notes,
)
from tests.multidevice.convert.test_anything import CHATS, fill
from whatsapp_dashboard.domain.engine_events import ContactSeen, MessageReceived
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.history import history_events
from whatsapp_dashboard.engines.multidevice.host.protos import common_pb, e2e_pb, history_pb, web_pb
from whatsapp_dashboard.engines.raw import event_from_raw, event_to_raw

Events = list[MessageReceived | ContactSeen]


def row(
    wa_id: str, text: str = "", *, at: int = AT, from_me: bool = False, who: str = "", message: e2e_pb.Message | None = None
) -> web_pb.WebMessageInfo:
    key = common_pb.MessageKey(remoteJID=CARLA, fromMe=from_me, ID=wa_id, participant=who)
    said = message or e2e_pb.Message(conversation=text or wa_id)
    return web_pb.WebMessageInfo(key=key, message=said, messageTimestamp=at, pushName="Carla")


def chat(jid: str, *rows: web_pb.WebMessageInfo, **more: str) -> history_pb.Conversation:
    messages = [history_pb.HistorySyncMsg(message=one, msgOrderID=len(rows) - place) for place, one in enumerate(rows)]
    return history_pb.Conversation(ID=jid, messages=messages, **more)


def events(*chats: history_pb.Conversation, book: Notes | None = None, **more: object) -> Events:
    sync = history_pb.HistorySync(syncType=history_pb.HistorySync.RECENT, conversations=chats, **more)
    return list(history_events(history_pb.HistorySync.FromString(sync.SerializeToString()), book or Notes()))


def messages(found: Events) -> list[MessageReceived]:
    return [one for one in found if isinstance(one, MessageReceived)]


def test_a_chat_is_told_with_its_oldest_message_first_and_all_marked_as_history() -> None:
    """ACC-8: phones send the newest first."""
    found = messages(events(chat(CARLA, row("C", at=AT + 9), row("B"), row("A"))))
    assert [(one.wa_id, one.history) for one in found] == [("A", True), ("B", True), ("C", True)]
    assert (found[0].chat, found[0].sender, found[0].sender_name, found[0].at) == (CARLA_ADDRESS, CARLA_ADDRESS, "Carla", time_of(AT))


def test_what_we_wrote_is_ours() -> None:
    """AI-8: told apart from what the contact wrote."""
    (found,) = messages(events(chat(CARLA, row("A", from_me=True))))
    assert (found.from_me, found.chat) == (True, CARLA_ADDRESS)


def test_a_group_is_named_and_its_writers_are_known() -> None:
    """MSG-10: from the row, from its key, and ourselves."""
    outside = row("A", at=AT)
    outside.participant = DEV
    found = messages(events(chat(GROUP, row("C", at=AT + 2, from_me=True), row("B", at=AT + 1, who=CARLA_HIDDEN), outside, name="Shop")))
    assert [(one.wa_id, one.sender) for one in found] == [("A", DEV_ADDRESS), ("B", CARLA_ADDRESS), ("C", Address(phone=OWN_PHONE))]
    assert {(one.chat, one.chat_name) for one in found} == {(GROUP_ADDRESS, "Shop")}


def test_channels_are_kept_and_old_status_updates_are_not() -> None:
    """ACC-8."""
    found = messages(events(chat(CHANNEL, row("N")), chat(STATUS, row("S")), statusV3Messages=[row("T")]))
    assert [one.wa_id for one in found] == ["N"]


def test_who_is_who_is_told_first() -> None:
    """MSG-10: push names, and which number and LID belong together."""
    pair = history_pb.PhoneNumberToLIDMapping(pnJID=DEV, lidJID="55@lid")
    names = [
        history_pb.Pushname(ID=CARLA, pushname="Carla"),
        history_pb.Pushname(ID=DEV, pushname="-"),
        history_pb.Pushname(ID=GROUP, pushname="x"),
    ]
    found = events(phoneNumberToLidMappings=[pair], pushnames=names)
    assert found == [ContactSeen(Address(phone=DEV_ADDRESS.phone, lid="55")), ContactSeen(CARLA_ADDRESS, push_name="Carla")]


def test_a_chat_by_lid_is_joined_with_its_number() -> None:
    """MSG-10: by what the chat itself says; with the name in the phone's address book."""
    found = events(chat("77@lid", row("A"), pnJID=DEV, name="Dev from the market"))
    both = Address(phone=DEV_ADDRESS.phone, lid="77")
    assert found[0] == ContactSeen(both, name="Dev from the market")
    assert messages(found)[0].chat == both


def test_an_edited_message_of_the_past_says_what_it_says_now() -> None:
    """MSG-1: its edit stands in its place; edits of other messages are left out."""

    def edited(target: str) -> e2e_pb.Message:
        kind = e2e_pb.ProtocolMessage
        change = kind(key=common_pb.MessageKey(ID=target), type=kind.MESSAGE_EDIT, editedMessage=e2e_pb.Message(conversation="New"))
        return e2e_pb.Message(editedMessage=e2e_pb.FutureProofMessage(message=e2e_pb.Message(protocolMessage=change)))

    found = messages(events(chat(CARLA, row("A", message=edited("A")), row("B", message=edited("A")))))
    assert [(one.wa_id, one.content.text) for one in found] == [("A", "New")]


def test_files_of_the_past_can_be_fetched() -> None:
    """MSG-9: the same conversion as for new messages."""
    picture = e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(directPath="/x?y", mimetype="image/jpeg"))
    (found,) = messages(events(chat(CARLA, row("A", message=picture))))
    assert (found.content.type, found.content.media is not None) == (MessageType.IMAGE, True)


def test_rows_that_say_nothing_are_left_out() -> None:
    """ACC-8: system notes, reactions, keys, rows without id, chats nobody can be answered in."""
    note = web_pb.WebMessageInfo(key=common_pb.MessageKey(ID="N"), messageStubType=web_pb.WebMessageInfo.GROUP_CREATE)
    reaction = e2e_pb.Message(reactionMessage=e2e_pb.ReactionMessage(text="👍"))
    found = events(chat(CARLA, note, row("R", message=reaction), row("")), chat("9@bot", row("B")), chat("", row("E")))
    assert messages(found) == []


def test_a_business_is_named_by_its_verified_name() -> None:
    """MSG-7."""
    business = row("A")
    business.pushName, business.verifiedBizName = "", "Carla's Shop"
    (found,) = messages(events(chat(CARLA, business)))
    assert found.sender_name == "Carla's Shop"


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_no_history_makes_conversion_fail(seed: int) -> None:
    """ACC-8: odd rows are left out."""
    choose = random.Random(seed)
    sync = fill(history_pb.HistorySync(), choose, 0)
    for _ in range(2):
        one = sync.conversations.add(ID=choose.choice([*CHATS, f"{CARLA_PHONE}@c.us"]))
        odd = fill(web_pb.WebMessageInfo(), choose, 0)
        fill(odd.message, choose, 0)
        odd.key.ID = choose.choice(["", "A", "\x00"])
        one.messages.add().message.CopyFrom(odd)
    for found in history_events(sync, Notes()):
        assert event_from_raw(event_to_raw(found), offline=False) is not None
