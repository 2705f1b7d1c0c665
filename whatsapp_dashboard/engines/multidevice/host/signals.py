"""Every sign of failure as itself (ACC-5): what the library reports about the connection, as a cause and a sentence for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from whatsapp_dashboard.domain.engine_events import PASSKEY_NEEDED_REASON, DisconnectCause
from whatsapp_dashboard.engines.multidevice.host.library import EventCode
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb


@dataclass(frozen=True, slots=True)
class Gone:
    """Why a session is over; ``seconds`` is what is left of a temporary ban."""

    cause: DisconnectCause
    reason: str
    seconds: float | None = None


_LOGGED_OUT = {
    neonize_pb.LOGGED_OUT: "The phone removed this device.",
    neonize_pb.MAIN_DEVICE_GONE: "The phone's own log-in ended: open WhatsApp on the phone, then link again.",
    neonize_pb.UNKNOWN_LOGOUT: "WhatsApp logged this device out without a reason. Link it again.",
}
_BANNED = {
    neonize_pb.TemporaryBan.SEND_TO_TOO_MANY_PEOPLE: "it sent to too many people who do not have it in their contacts",
    neonize_pb.TemporaryBan.BLOCKED_BY_USERS: "too many people blocked it",
    neonize_pb.TemporaryBan.CREATED_TOO_MANY_GROUPS: "it created too many groups with people who do not have it in their contacts",
    neonize_pb.TemporaryBan.SENT_TOO_MANY_SAME_MESSAGE: "it sent the same message to too many people",
    neonize_pb.TemporaryBan.BROADCAST_LIST: "it sent too many messages to broadcast lists",
}
OUTDATED = Gone(DisconnectCause.OUTDATED, "WhatsApp refuses this version of the engine: update the dashboard.")
LOST = Gone(DisconnectCause.CONNECTION_LOST, "The connection to WhatsApp was lost.")
PASSKEY = Gone(DisconnectCause.PASSKEY_NEEDED, PASSKEY_NEEDED_REASON)
SILENT = Gone(DisconnectCause.CONNECTION_LOST, "WhatsApp's server does not answer.")


def gone(code: int, body: bytes) -> Gone | None:
    """The end that an event means, if it means one."""
    match code:
        case EventCode.LOGGED_OUT:
            reason = neonize_pb.LoggedOut.FromString(body).Reason
            return Gone(DisconnectCause.LOGGED_OUT, _LOGGED_OUT.get(reason, "The phone removed this device."))
        case EventCode.STREAM_REPLACED:
            return Gone(DisconnectCause.REPLACED, "Another program uses this linked device; it was given the connection.")
        case EventCode.TEMPORARY_BAN:
            ban = neonize_pb.TemporaryBan.FromString(body)
            why = _BANNED.get(ban.Code)
            sentence = "WhatsApp banned this number for a while" + (f" because {why}." if why else ".")
            return Gone(DisconnectCause.BANNED, sentence, _duration(ban.Expire))
        case EventCode.CLIENT_OUTDATED:
            return OUTDATED
        case EventCode.CONNECT_FAILURE:
            failure = neonize_pb.ConnectFailure.FromString(body)
            name = neonize_pb.Name(failure.Reason).lower().replace("_", " ")
            return Gone(DisconnectCause.CONNECTION_LOST, f"WhatsApp's server refused the connection ({failure.Message or name}).")
        case EventCode.STREAM_ERROR:
            error = neonize_pb.StreamError.FromString(body).Code
            if error == "515":
                return Gone(DisconnectCause.RESTART_REQUIRED, "WhatsApp asked for a new connection.")
            return Gone(DisconnectCause.CONNECTION_LOST, f"WhatsApp ended the connection (stream error {error or 'without a code'}).")
    return None


def connect_error(text: str) -> Gone:
    """What kept the library from connecting at all, in words that say where to look."""
    low = text.lower()
    if "no such host" in low or "server misbehaving" in low or "name resolution" in low:
        why = "The name of WhatsApp's server cannot be looked up: check the DNS of this machine."
    elif "network is unreachable" in low or "no route to host" in low:
        why = "This machine has no network."
    elif "connection refused" in low:
        why = "The connection was refused: check the network, the firewall and the proxy."
    elif "certificate" in low or "tls" in low or "x509" in low:
        why = "The secure connection to WhatsApp could not be made (TLS): check the clock of this machine and what inspects its traffic."
    elif "timeout" in low or "timed out" in low or "deadline" in low:
        why = "WhatsApp's server does not answer."
    else:
        why = f"WhatsApp cannot be reached ({text[:160]})."
    return Gone(DisconnectCause.CONNECTION_LOST, why)


def _duration(expire: int) -> float | None:
    """Seconds, of a duration that versions of the library give in nanoseconds or seconds."""
    if expire <= 0:
        return None
    return expire / 1e9 if expire > 10**9 else float(expire)
