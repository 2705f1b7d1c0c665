"""Contact cards: vCards read and written (MSG-1)."""

from __future__ import annotations

import re

from whatsapp_dashboard.domain.messages import ContactCard
from whatsapp_dashboard.domain.written import readable
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

MAX_PHONES = 20
_FOLD = re.compile(r"\r?\n[ \t]")
_WAID = re.compile(r"waid=([0-9]{5,20})", re.IGNORECASE)
_ESCAPES = {"\\n": "\n", "\\N": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}


def card_of(part: e2e_pb.ContactMessage) -> ContactCard:
    """A contact somebody shared: the name shown, the numbers in the card (WhatsApp's first), and the card itself."""
    name, phones = read_vcard(part.vcard)
    return ContactCard(name=part.displayName.strip() or name or (phones[0] if phones else "Contact"), phones=phones, vcard=part.vcard)


def read_vcard(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the phone numbers in a vCard, as they are written there; a local one that WhatsApp knows in full as ``+digits``."""
    name, family, phones = "", "", []
    for line in _FOLD.sub("", text).splitlines():
        head, colon, value = line.partition(":")
        key = head.split(";", 1)[0].rsplit(".", 1)[-1].strip().upper()  # item1.TEL;waid=34600...: +34 600
        if not colon:
            continue
        if key == "FN" and not name:
            name = _unescape(value)
        elif key == "N" and not family:
            parts = [_unescape(part) for part in re.split(r"(?<!\\);", value)]
            family = " ".join(part for part in [*parts[1:3], parts[0]] if part)
        elif key == "TEL":
            phones.append(_phone(_unescape(value).removeprefix("tel:"), _WAID.search(head)))
    found = dict.fromkeys(phone for phone in phones if phone)
    return name or family, tuple(found)[:MAX_PHONES]


def _phone(written: str, waid: re.Match[str] | None) -> str:
    return written if waid is None or re.sub(r"[^0-9]", "", written) == waid[1] else f"+{waid[1]}"


def vcard_of(card: ContactCard) -> str:
    """The card to send: the one given, or one made from name and numbers."""
    if card.vcard:
        return card.vcard
    name = _escape(card.name)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{name};;;", f"FN:{name}"]
    for phone in card.phones:
        digits = re.sub(r"[^0-9]", "", phone)
        known = readable(phone).startswith("+")  # a local number is nobody's on WhatsApp
        lines.append(f"TEL;type=CELL;type=VOICE;waid={digits}:+{digits}" if known else f"TEL;type=CELL;type=VOICE:{_escape(phone)}")
    return "\n".join([*lines, "END:VCARD"])


def _unescape(value: str) -> str:
    return re.sub(r"\\[nN,;\\]", lambda found: _ESCAPES[found[0]], value).strip()


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r", "").replace("\n", "\\n")
