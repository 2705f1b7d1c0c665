"""Passwords: Argon2 hashes, computed off the event loop (SEC-1)."""

from __future__ import annotations

import asyncio
import secrets

from passlib.context import CryptContext

from whatsapp_dashboard.config import MIN_PASSWORD
from whatsapp_dashboard.errors import Invalid

MAX_PASSWORD = 256
"""Longer input is refused: hashing it would be work without a purpose."""

_context = CryptContext(schemes=["argon2"], deprecated="auto")
_nobody: list[str] = []


def generate() -> str:
    """A new random password of 20 characters."""
    return secrets.token_urlsafe(15)


def check_new(password: str, field: str = "password") -> None:
    """Raise :class:`Invalid` when ``password`` may not be used as a new one."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"The password needs at least {MIN_PASSWORD} characters.", field=field)
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"The password may have at most {MAX_PASSWORD} characters.", field=field)


async def hash_password(password: str) -> str:
    """The Argon2 hash to store."""
    return str(await asyncio.to_thread(_context.hash, password))


async def verify(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the one behind ``stored``. Without ``stored`` (nobody of that name) the answer is no, after the
    same amount of work, so that the time tells nothing (SEC-3)."""
    if len(password) > MAX_PASSWORD:
        password = ""
    if stored is None:
        await prepare()
        await asyncio.to_thread(_context.verify, password, _nobody[0])
        return False
    return bool(await asyncio.to_thread(_context.verify, password, stored))


async def prepare() -> None:
    """Make the stand-in hash now, so that the first log-in of an unknown name takes no longer than the next."""
    if not _nobody:
        _nobody.append(await hash_password(secrets.token_urlsafe(16)))
