"""A dashboard whose sandbox world runs beside it, so that tests hold the phones in their hands, and one Chromium for all tests.

The browser lives in the event loop of the session, so these tests and their asynchronous fixtures run in that loop
(``pytest_asyncio.fixture(loop_scope="session")``); the mark of the tests is set by the conftest above.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.peer.client import PeerClient
from tests.peer.process import PeerProcess
from tests.support import evidence
from tests.support.browser import Window, launched
from tests.support.clients import clients_of
from tests.support.inbox_page import Shop
from tests.support.linking import linked_account
from tests.support.lively import Office
from tests.support.server import OWNER, Server
from tests.support.world import World
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone


@pytest.fixture
def server(new_server_with_cast: Callable[..., Server], world: World) -> Server:
    """A running dashboard on SQLite with the whole cast in it and the world beside it."""
    return new_server_with_cast(SANDBOX_WORLD=world.socket)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(world: World, server: Server) -> AsyncIterator[SandboxPhone]:
    """A hand on every phone of the world."""
    async with SandboxPhone(world.socket) as held:
        yield held


@pytest.fixture
def office(server: Server) -> Iterator[Office]:
    """An office in the database of the running dashboard."""
    office = Office(Database(f"sqlite+aiosqlite:///{server.data_dir / 'dashboard.db'}"), server.data_dir)
    asyncio.run(office.open())
    yield office
    asyncio.run(office.db.close())


@pytest_asyncio.fixture(loop_scope="session")
async def shop(phone: SandboxPhone, api: httpx.AsyncClient) -> Shop:
    """A connected account with two contacts."""
    account_id = await linked_account(api, phone, "Shop")
    carla = (await phone.add_contact("Carla", "34600111333"))["id"]
    dev = (await phone.add_contact("Dev", "919876543210"))["id"]
    return Shop(phone, account_id, carla, dev)


@pytest_asyncio.fixture(loop_scope="session")
async def api_as(server: Server) -> AsyncIterator[Callable[[str], Awaitable[httpx.AsyncClient]]]:
    """Makes HTTP clients logged in by token: ``await api_as("ben")``."""
    async with clients_of(server) as make:
        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def api(api_as: Callable[[str], Awaitable[httpx.AsyncClient]]) -> httpx.AsyncClient:
    """An HTTP client of ``server``, logged in as Ana."""
    return await api_as(OWNER)


@pytest_asyncio.fixture(loop_scope="session")
async def peer(peer_process: PeerProcess) -> AsyncIterator[PeerClient]:
    """A hand on every phone of the peer."""
    async with peer_process.client() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A running Chromium."""
    async with launched() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser, server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Window]:
    """Opens tabs at ``server``: ``page = await window.log_in("ana", PASSWORDS["ana"])``."""
    opened = Window(browser, server)
    yield opened
    if evidence.failed(request.node):
        await opened.keep_pictures(request.node)
        print("The browser's console:", *opened.console[-40:], sep="\n")
        print("The server's log ends:", server.log_end(), sep="\n")
    await opened.close()
