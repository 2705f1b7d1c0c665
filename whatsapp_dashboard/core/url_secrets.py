"""Secrets inside web addresses: tokens in the query or in the path. They are shown to nobody and kept sealed (SEC-7).

What is shown has a mask in their place. An address that was shown can be given back: the mask then stands for the stored secret, as long as
the address leads to the same server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.masking import MASK
from whatsapp_dashboard.core.safe_http import check_url
from whatsapp_dashboard.errors import Invalid

_NAMES = re.compile(
    r"token|secret|passw|pwd|auth|credential|signature|session|jwt|hash|api.?key|access.?key|private|ticket|otp"
    r"|(^|[^a-z])(key|sig|code|pin|pass|sid|hmac|k)($|[^a-z])",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9]{16,}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
COLUMN = "url_sealed"
MAX_SHOWN = 2_048


def origin(url: str) -> tuple[str, str, int]:
    """Which server an address leads to: scheme, host and port. Raises :class:`Invalid`."""
    parsed = check_url(url)
    return parsed.scheme, parsed.host.lower().rstrip("."), parsed.port or _DEFAULT_PORTS[parsed.scheme]


def shown(url: str) -> str:
    """``url`` with a mask in place of each secret."""
    return _split(url)[0]


def hidden(url: str) -> tuple[str, ...]:
    """The secrets in ``url``, as they are written there and decoded."""
    found = _split(url)[1]
    return tuple(dict.fromkeys([*found, *(unquote_plus(value) for value in found)]))


def restored(given: str, stored: str, *, field: str = "url") -> str:
    """``given`` with the secrets of ``stored`` in place of masks. Raises :class:`Invalid` when a mask stands for nothing that is stored, or
    when the address leads to another server: whoever could send a stored secret to a server of their own could read it."""
    given = given.strip()
    if MASK not in given:
        return given
    if stored and given == shown(stored):
        return stored
    plain = urlsplit(given.replace(MASK, "x"))
    if not stored or origin(urlunsplit((plain.scheme, plain.netloc, "/", "", ""))) != origin(stored):
        raise Invalid(
            f"The address leads to another server: enter the parts that are shown as {MASK} again.", code="secret_needed", field=field
        )
    wanted, had = urlsplit(given), urlsplit(stored)
    before = had.path.split("/")
    path = [before[at] if part == MASK and at < len(before) else part for at, part in enumerate(wanted.path.split("/"))]
    values = {part.partition("=")[0]: part for part in had.query.split("&")}
    if had.query and "=" not in had.query:
        values[MASK] = had.query
    query = [values.get(part.partition("=")[0], part) if part.endswith(MASK) else part for part in wanted.query.split("&")]
    url = urlunsplit((wanted.scheme, wanted.netloc, "/".join(path), "&".join(query), ""))
    if MASK in url:
        raise Invalid(f"There is no stored secret for one of the parts shown as {MASK}; enter it.", code="secret_needed", field=field)
    return url


def keep(row: Any, url: str, box: SecretBox) -> None:
    """Put ``url`` into the row: what is shown in ``url``, all of it sealed in ``url_sealed`` when it has secrets. Raises
    :class:`Invalid` when it is too long."""
    row.url = shown(url)
    if len(row.url) > MAX_SHOWN:
        raise Invalid(f"A URL has at most {MAX_SHOWN} characters.", code="bad_url", field="url")
    row.url_sealed = box.seal(url.encode(), place(row)) if row.url != url else None


def opened(row: Any, box: SecretBox) -> str:
    """The whole address of a row. Raises CryptoError when the key is another one."""
    return box.open(row.url_sealed, place(row)).decode() if row.url_sealed else row.url


def place(row: Any) -> str:
    """To which place the sealed address of a row belongs (SEC-7)."""
    return f"{row.__tablename__}/{COLUMN}/{row.id}"


@dataclass(frozen=True, slots=True)
class _Part:
    shown: str
    secret: str = ""


def _split(url: str) -> tuple[str, list[str]]:
    """What is shown of ``url``, and its secrets."""
    if MASK in url:
        return url, []
    parts = urlsplit(url)
    account, at, host = parts.netloc.rpartition("@")
    path = [_Part(MASK, part) if _is_random(part) else _Part(part) for part in parts.path.split("/")]
    query = [_of_query(part) for part in parts.query.split("&")]
    netloc = f"{MASK}@{host}" if at else host
    secrets = [part.secret for part in (*path, *query) if part.secret]
    if account:
        secrets += [account, *filter(None, account.split(":"))]
    text = urlunsplit((parts.scheme, netloc, "/".join(part.shown for part in path), "&".join(part.shown for part in query), ""))
    return (text, secrets) if secrets else (url, [])


def _of_query(part: str) -> _Part:
    name, is_pair, value = part.partition("=")
    if not is_pair:
        return _Part(MASK, part) if _is_random(part) else _Part(part)
    if value and (_NAMES.search(unquote_plus(name)) or _is_random(value)):
        return _Part(f"{name}={MASK}", value)
    return _Part(part)


def _is_random(text: str) -> bool:
    """Whether this looks like a key and not like words or a number."""
    if _UUID.search(text):
        return True
    return any(re.search(r"[0-9]", run) and re.search(r"[A-Za-z]", run) for run in _RUN.findall(text))

