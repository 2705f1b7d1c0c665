"""What arrives at the phone: messages for the owner, and requests of the companions, which it answers as a phone does."""

from __future__ import annotations

import time

from tests.peer import history
from tests.peer.accounts import Device
from tests.peer.binary_xml import JID, Node
from tests.peer.owner_phone import OwnerPhone
from tests.peer.phone_log import Entry
from tests.peer.signal import SignalError
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, web_pb

INLINE = 50
"""A chunk of history with at most this many messages travels in the announcement itself, when the companion can take it."""


async def arrived(phone: OwnerPhone, device: Device, stanza: Node, sealed: Node) -> None:
    """A stanza from ``device`` had ``sealed`` (an ``enc`` node) for this phone."""
    phone.swallowed += 1
    if stanza.attrs.get("category") == "peer" and device.acct is phone.account:
        await answer(phone, device, stanza.attrs["id"], sealed)
        return
    to: JID = stanza.attrs["to"]
    if to.server == "g.us":
        return  # the phone keeps no sender keys, and no test needs what a group wrote on it
    kind, data = sealed.attrs["type"], sealed.data()
    from_me = device.acct is phone.account
    other = phone.server.acct_of(to) if from_me else device.acct
    chat = other.phone if other else to.user
    phone.log.add(Entry(stanza.attrs["id"], chat, device.acct.phone, from_me, lambda: phone.open(device, kind, data)))


async def answer(phone: OwnerPhone, device: Device, request_id: str, sealed: Node) -> None:
    """Do what a companion asks the phone for; what cannot be read is left unanswered, as it is by a phone."""
    try:
        message = phone.open(device, sealed.attrs["type"], sealed.data())
    except SignalError:
        return
    asked = (message.deviceSentMessage.message if message.HasField("deviceSentMessage") else message).protocolMessage
    if asked.HasField("appStateSyncKeyRequest"):
        await phone.tell(device, phone.state.key_share())
    wanted = asked.peerDataOperationRequestMessage
    if wanted.peerDataOperationRequestType == e2e_pb.HISTORY_SYNC_ON_DEMAND and wanted.HasField("historySyncOnDemandRequest"):
        await phone.share(_more_history(phone, wanted.historySyncOnDemandRequest, request_id), device)
    elif wanted.peerDataOperationRequestType == e2e_pb.PLACEHOLDER_MESSAGE_RESEND:
        await _send_again(phone, device, wanted, request_id)


def _more_history(
    phone: OwnerPhone, asked: e2e_pb.PeerDataOperationRequestMessage.HistorySyncOnDemandRequest, request_id: str
) -> history.History:
    """The messages of a chat before the one that the companion names."""
    chat = chat_of(phone, asked.chatJID)
    entries = phone.log.before(chat, asked.oldestMsgID, _seconds(asked.oldestMsgTimestampMS), asked.onDemandMsgCount)
    messages = [entry.plain() for entry in entries if entry.message is not None]
    conversation = {"jid": asked.chatJID, "messages": messages}
    return history.announce(history.build([conversation], kind="on_demand"), request_id=request_id, inline=len(messages) <= INLINE)


def chat_of(phone: OwnerPhone, jid: str) -> str:
    """The name in the log of the chat with this JID."""
    user, _, server = jid.partition("@")
    account = phone.server.acct_of(JID(user.split(":")[0], server))
    return account.phone if account else jid


def _seconds(timestamp: int) -> int:
    """Clients disagree whether the request's time is in seconds or in milliseconds."""
    return timestamp // 1000 if timestamp > 10**11 else timestamp


async def _send_again(phone: OwnerPhone, device: Device, wanted: e2e_pb.PeerDataOperationRequestMessage, request_id: str) -> None:
    """The content of messages that the companion could not read; those the phone does not have are left out."""
    message = e2e_pb.Message()
    message.protocolMessage.type = e2e_pb.ProtocolMessage.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE
    response = message.protocolMessage.peerDataOperationRequestResponseMessage
    response.peerDataOperationRequestType = wanted.peerDataOperationRequestType
    response.stanzaID = request_id
    for request in wanted.placeholderMessageResendRequest:
        entry = phone.log.find(request.messageKey.ID)
        if entry is None or entry.message is None:
            continue
        found = web_pb.WebMessageInfo()
        history.web_message(found, request.messageKey.remoteJID, entry.plain())
        found.messageTimestamp = entry.timestamp or int(time.time())
        result = response.peerDataOperationResult.add()
        result.placeholderMessageResendResponse.webMessageInfoBytes = found.SerializeToString()
    await phone.tell(device, message)
