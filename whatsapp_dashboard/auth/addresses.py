"""By what a client's address is counted, and the addresses an operator is known at (SEC-3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.db import insert_ignore
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.models import KnownAddress, Operator
from whatsapp_dashboard.models.base import metadata

KNOWN_FOR = timedelta(days=90)
"""How long after the last log-in from there an address is known."""
MAX_KNOWN = 50
"""Addresses of one operator; the one not used for longest goes."""
NOWHERE = "unknown"
"""What every text that is no address counts as."""
_NAT64 = ip_network("64:ff9b::/96")
_NETWORK = 64
"""The smallest network a customer gets: whoever has one has all its addresses."""


def counted_as(address: str) -> str:
    """The form in which tries from ``address`` are counted: IPv4 as it is, also when written or translated as IPv6; IPv6 by its /64."""
    try:
        parsed = ip_address(address.strip().partition("%")[0])
    except ValueError:
        return NOWHERE
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if parsed in _NAT64:
        return str(ip_address(int(parsed) & 0xFFFFFFFF))
    return str(ip_network((parsed, _NETWORK), strict=False))


async def is_known(session: AsyncSession, username: str, address: str, now: datetime) -> bool:
    """Whether the operator called ``username`` (lower case) logged in from ``address`` (as counted) not too long ago."""
    found = await session.scalar(
        select(col(KnownAddress.id))
        .join(Operator, col(Operator.id) == col(KnownAddress.operator_id))
        .where(
            func.lower(col(Operator.username)) == username,
            col(KnownAddress.address) == address,
            col(KnownAddress.last_login_at) > now - KNOWN_FOR,
        )
    )
    return found is not None


async def remember(session: AsyncSession, operator_id: str, address: str, now: datetime) -> None:
    """The operator has logged in from ``address`` (as counted)."""
    if address == NOWHERE:
        return
    mine = col(KnownAddress.operator_id) == operator_id
    known = await session.execute(
        update(KnownAddress).where(mine, col(KnownAddress.address) == address).values(last_login_at=now).returning(col(KnownAddress.id))
    )
    if known.first() is not None:
        return
    row = {"id": new_id(), "operator_id": operator_id, "address": address, "last_login_at": now}
    await session.execute(insert_ignore(session, metadata.tables["known_address"]).values(**row))
    kept = select(col(KnownAddress.id)).where(mine).order_by(col(KnownAddress.last_login_at).desc(), col(KnownAddress.id).desc())
    await session.execute(delete(KnownAddress).where(mine, col(KnownAddress.id).not_in(kept.limit(MAX_KNOWN))))


async def forget(session: AsyncSession, operator_id: str, *, but: str = "") -> None:
    """The operator is a stranger everywhere again, except at ``but`` (as counted)."""
    await session.execute(delete(KnownAddress).where(col(KnownAddress.operator_id) == operator_id, col(KnownAddress.address) != but))


async def prune(session: AsyncSession, now: datetime) -> None:
    """Forget addresses nobody has logged in from for long."""
    await session.execute(delete(KnownAddress).where(col(KnownAddress.last_login_at) <= now - KNOWN_FOR))
