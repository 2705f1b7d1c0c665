"""HTTP clients for libraries: checked like every other request, and told less than they would find out by themselves (AI-2, HOOK-7)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import pytest

from tests.support.cancelling import cancel_twice
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.receivers import Receivers
from tests.support.waiting import until
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.library_http import Terms, TooMuch, httpx2_client, httpx_client, recorded
from whatsapp_dashboard.core.safe_http import NoAnswer, Refused, SafeHttp
from whatsapp_dashboard.errors import Invalid

LOOPBACK = Allowed.parse(["127.0.0.0/8"])
FAMILIES = [pytest.param(httpx, httpx_client, id="httpx"), pytest.param(httpx2, httpx2_client, id="httpx2")]
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    """Something to ask."""
    async with LlmServer() as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    """A way out, to loopback too."""
    found = SafeHttp(lambda: LOOPBACK, user_agent="ours/1")
    yield found
    await found.close()


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_a_library_sends_our_headers_and_none_of_its_own(server: LlmServer, http: SafeHttp, family: Any, make: Any) -> None:
    """AI-2: what a library or the environment adds does not leave; what is put is stronger than what it says."""
    terms = Terms(server.url("openai"), put={"Authorization": "Bearer ours"}, keep=frozenset({"x-kept"}))
    async with make(http, terms) as client:
        given = {"x-stainless-os": "Linux", "x-kept": "yes", "authorization": "Bearer theirs", "user-agent": "lib/1", "cookie": "a=b"}
        answer = await client.post(f"{server.url('openai')}/chat/completions", json=CHAT, headers=given)
    assert answer.json()["choices"][0]["message"]["content"] == "It opens at 9."
    sent = server.requests("openai")[0].headers
    assert sent["authorization"] == "Bearer ours"
    assert sent["user-agent"] == "ours/1"
    assert sent["accept-encoding"] == "identity"
    assert sent["x-kept"] == "yes"
    assert set(sent) == {"host", "accept", "content-type", "content-length", "authorization", "user-agent", "accept-encoding", "x-kept"}


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_a_library_reaches_the_server_it_was_told_and_no_other(server: LlmServer, http: SafeHttp, family: Any, make: Any) -> None:
    """AI-2: whatever turns its address, a key goes to the one server it is meant for."""
    async with make(http, Terms("https://api.example.org/v1")) as client:
        with recorded() as exchange, pytest.raises(family.ConnectError):
            await client.post(f"{server.url('openai')}/chat/completions", json=CHAT)
    assert isinstance(exchange.trouble, Invalid)
    assert not server.asked


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_a_private_address_is_refused_to_libraries_too(server: LlmServer, family: Any, make: Any) -> None:
    """HOOK-7: the same dialling, the same judgement; the reason is there for whoever asks."""
    http = SafeHttp(Allowed, user_agent="test")
    async with make(http, Terms(server.url("openai"))) as client:
        with recorded() as exchange, pytest.raises(family.ConnectError):
            await client.get(f"{server.url('openai')}/models")
    await http.close()
    assert isinstance(exchange.trouble, Refused)
    assert exchange.trouble.host == "127.0.0.1"
    assert not server.asked


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_answers_without_end_and_compressed_ones_are_not_read(server: LlmServer, http: SafeHttp, family: Any, make: Any) -> None:
    """HOOK-7: 4 MiB is the most that is held of an answer, and nothing is unpacked."""
    for does in (Behaviour("huge"), Behaviour("compressed")):
        server.behave("openai", does)
        async with make(http, Terms(server.url("openai"))) as client:
            with recorded() as exchange, pytest.raises(family.RemoteProtocolError):
                await client.post(f"{server.url('openai')}/chat/completions", json=CHAT)
        assert isinstance(exchange.trouble, TooMuch)


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_broken_connections_are_errors_of_the_librarys_own_family(server: LlmServer, http: SafeHttp, family: Any, make: Any) -> None:
    """AI-2: an SDK recognises a failed request as one."""
    server.behave("openai", Behaviour("cut"))
    async with make(http, Terms(server.url("openai"))) as client:
        with recorded() as exchange, pytest.raises(family.RemoteProtocolError):
            await client.post(f"{server.url('openai')}/chat/completions", json=CHAT)
        assert (exchange.requests, exchange.status) == (1, 200)
    async with make(http, Terms("http://127.0.0.1:9")) as client:
        with pytest.raises(family.ConnectError):
            await client.get("http://127.0.0.1:9/models")


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_errors_are_recorded_with_their_first_bytes(server: LlmServer, http: SafeHttp, family: Any, make: Any) -> None:
    """AI-3: what the provider said is known however the SDK wraps it."""
    server.behave("openai", Behaviour("error", status=429, retry_after="3", text="Slow down, please."))
    async with make(http, Terms(server.url("openai"))) as client:
        with recorded() as exchange:
            answer = await client.post(f"{server.url('openai')}/chat/completions", json=CHAT)
    assert answer.status_code == exchange.status == 429
    assert exchange.headers["retry-after"] == "3"
    assert b"Slow down" in exchange.body


@pytest.mark.parametrize(("family", "make"), FAMILIES)
async def test_proxies_of_the_environment_are_not_used(
    server: LlmServer, http: SafeHttp, family: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HOOK-7: a proxy would dial addresses that nobody judged."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with make(http, Terms(server.url("openai"))) as client:
        assert (await client.get(f"{server.url('openai')}/models")).status_code == 200


async def test_an_answer_that_breaks_off_on_a_kept_connection_is_not_asked_for_twice(http: SafeHttp) -> None:
    """AI-2: only a request that a stale connection lost is sent again; Retell would hear the same line twice."""
    async with LlmServer() as server:
        url = f"{server.url('retell')}/create-chat"
        await http.request("POST", url, content=b'{"agent_id": "a"}')
        chat_id = next(iter(server.retell.chats))
        server.behave("retell", Behaviour("cut"))
        line = json.dumps({"chat_id": chat_id, "content": "Hi"}).encode()
        with pytest.raises(NoAnswer, match="ended before"):
            await http.request("POST", f"{server.url('retell')}/create-chat-completion", content=line)
        assert server.retell.chats[chat_id] == ["Hi"]


@pytest.mark.parametrize(("family", "make"), FAMILIES)
@pytest.mark.parametrize("behaviour", ["hang", "half"])
@pytest.mark.parametrize("turns", range(6))
async def test_a_library_that_is_cancelled_twice_leaves_no_connection_open(
    http: SafeHttp, family: Any, make: Any, behaviour: str, turns: int
) -> None:
    """AI-3, AI-8: the time is over while a person takes over; the provider does not go on working for nobody."""
    async with Receivers() as receivers, make(http, Terms(receivers.url(behaviour))) as client:
        task = asyncio.create_task(client.post(receivers.url(behaviour), json=CHAT))
        await receivers.until(1)
        await asyncio.sleep(0.05)  # so that the head of an answer is here, where there is one
        await cancel_twice(task, turns)
        await until(lambda: receivers.open == 0)
