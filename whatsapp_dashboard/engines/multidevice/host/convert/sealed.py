"""What is sealed with the secret of an earlier message: edits, reactions, comments and answers to events (MSG-12).

Each message carries a secret. What changes it later may be sealed with a key made of that secret, the message's id, its writer, who
changes it, and what kind of change it is; whoever does not have the message cannot read the change.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.ids import is_own, text_of, wa_id_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb

MESSAGE_EDIT, EVENT_EDIT, POLL_EDIT = "Message Edit", "Event Edit", "Poll Edit"
POLL_ADD_OPTION, MESSAGE_SCHEDULE = "Poll Add Option", "Message Schedule"
REACTION, COMMENT, EVENT_RESPONSE = "Enc Reaction", "Enc Comment", "Event Response"
UNKNOWN = ""
"""A kind that this version does not know."""
_TYPES = e2e_pb.SecretEncryptedMessage
_USES = {
    _TYPES.MESSAGE_EDIT: MESSAGE_EDIT,
    _TYPES.EVENT_EDIT: EVENT_EDIT,
    _TYPES.POLL_EDIT: POLL_EDIT,
    _TYPES.POLL_ADD_OPTION: POLL_ADD_OPTION,
    _TYPES.MESSAGE_SCHEDULE: MESSAGE_SCHEDULE,
}
_BOUND = frozenset({EVENT_RESPONSE})
"""Sealed together with the message's id and who answers."""
_OTHERS = (("encReactionMessage", REACTION), ("encCommentMessage", COMMENT))
_MAX_SECRETS = 8
"""Messages of one id by different writers that are tried; there is hardly ever more than one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed change of the message ``target``; ``use`` is the kind of change, as it goes into the key."""

    target: str
    use: str
    payload: bytes
    iv: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """``plain`` is what was sealed, None when it cannot be read. ``forged``: the message is known, and is of somebody else."""

    plain: bytes | None
    forged: bool = False


def sealed_in(message: e2e_pb.Message) -> Sealed | None:
    """The sealed change in an unwrapped ``message``, if it has one that names its target."""
    if message.HasField("secretEncryptedMessage"):
        part = message.secretEncryptedMessage
        return _sealed(part.targetMessageKey.ID, _USES.get(part.secretEncType, UNKNOWN), part.encPayload, part.encIV)
    if message.HasField("encEventResponseMessage"):
        answer = message.encEventResponseMessage
        return _sealed(answer.eventCreationMessageKey.ID, EVENT_RESPONSE, answer.encPayload, answer.encIV)
    for field, use in _OTHERS:
        if message.HasField(field):  # type: ignore[arg-type]
            other = getattr(message, field)
            return _sealed(other.targetMessageKey.ID, use, other.encPayload, other.encIV)
    return None


def _sealed(target: str, use: str, payload: bytes, iv: bytes) -> Sealed | None:
    wa_id = wa_id_of(target)
    return Sealed(wa_id, use, payload, iv) if wa_id else None


def unseal(sealed: Sealed, source: neonize_pb.MessageSource, book: Book, *, own_only: bool) -> Opened:
    """Open it. Phones name people by number or by LID in the key, so every pair of names is tried.

    ``own_only``: only the writer of the message may change it so.
    """
    known = book.secrets(sealed.target)[:_MAX_SECRETS]
    editor = names_of(text_of(source.Sender), book, text_of(source.SenderAlt), own=source.IsFromMe)
    for secret in known:
        writer = names_of(secret.sender, book)
        if own_only and not set(writer) & set(editor):
            continue
        for first in writer:
            for second in editor:
                if (plain := _opened(sealed, secret.secret, first, second)) is not None:
                    return Opened(plain)
    theirs = [secret for secret in known if not set(names_of(secret.sender, book)) & set(editor)]
    return Opened(None, forged=own_only and bool(known) and len(theirs) == len(known))


def names_of(jid: str, book: Book, alt: str = "", *, own: bool = False) -> list[str]:
    """Every name of one person, the given one first; ``own`` says that it is the account's owner."""
    names = [jid, alt or (book.alt(jid) or "" if jid else "")]
    if own or (jid and is_own(jid, book)):
        names += [f"{book.own_phone}@s.whatsapp.net" if book.own_phone else "", f"{book.own_lid}@lid" if book.own_lid else ""]
    return list(dict.fromkeys(name for name in names if name))


def _opened(sealed: Sealed, secret: bytes, writer: str, editor: str) -> bytes | None:
    info = f"{sealed.target}{writer}{editor}{sealed.use}".encode()
    key = HKDF(SHA256(), 32, salt=None, info=info).derive(secret)
    beside = f"{sealed.target}\0{editor}".encode() if sealed.use in _BOUND else None
    try:
        return AESGCM(key).decrypt(sealed.iv, sealed.payload, beside)
    except (InvalidTag, ValueError):
        return None
