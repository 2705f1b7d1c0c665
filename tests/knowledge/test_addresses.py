"""Documents at addresses with secrets (AI-5, SEC-7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from tests.knowledge.conftest import Library
from whatsapp_dashboard.core.masking import MASK
from whatsapp_dashboard.errors import Conflict, Invalid
from whatsapp_dashboard.models.base import metadata

TOKEN = "qW3eR5tY7uI9oP1aS2dF"


@pytest.fixture
async def site() -> AsyncIterator[tuple[str, list[str]]]:
    """A page that names its own address, for whoever brings the token; what was asked for; another path leads elsewhere."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        asked.append(path)
        page = f"<title>Hours {path}</title><p>We open at nine. See {path} for cinnamon.</p>".encode()
        head = "302 Found\r\nLocation: /elsewhere" if path.startswith("/moved") else "200 OK" if TOKEN in path else "403 Forbidden"
        writer.write(f"HTTP/1.1 {head}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode() + page)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def everything_stored(library: Library) -> str:
    """Every column of every table, as text."""
    async with library.db.read() as session:
        return "\n".join([repr(tuple(row)) for table in metadata.sorted_tables for row in await session.execute(select(table))])


async def test_a_token_in_an_address_is_used_and_shown_to_nobody(library: Library, site: tuple[str, list[str]]) -> None:
    """SEC-7: not in lists, titles, passages that bots tell customers, events or errors; fetching anew works; another token is another
    document; a redirect is not followed."""
    address, asked = site
    url = f"{address}/hours?token={TOKEN}"
    row = await library.ready(await library.knowledge.add_url(library.cast.ben, url, title=url))
    assert (row.state, row.url) == ("ready", f"{address}/hours?token={MASK}")
    again = await library.ready(await library.knowledge.reindex(library.cast.ben, row.id))
    assert (again.state, len(asked)) == ("ready", 2)
    passages = await library.knowledge.passages(library.cast.ben.workspace_id, "cinnamon hours")
    assert passages
    with pytest.raises(Conflict):
        await library.knowledge.add_url(library.cast.ben, url)
    other = await library.ready(await library.knowledge.add_url(library.cast.ben, f"{address}/hours?token=x{TOKEN}"))
    assert other.state == "ready"
    moved = await library.ready(await library.knowledge.add_url(library.cast.ben, f"{address}/moved?token={TOKEN}"))
    assert moved.state == "failed"
    assert not any(path.startswith("/elsewhere") for path in asked)
    with pytest.raises(Invalid):
        await library.knowledge.add_url(library.cast.ben, row.url)  # a mask is no token
    shown = f"{passages}{row}{again}{moved}{await library.knowledge.get(library.cast.vic, row.id)}"
    assert TOKEN not in shown + await everything_stored(library)
