"""Outgoing requests: bounded in time and memory, and to judged addresses only (HOOK-7, HOOK-4)."""

from __future__ import annotations

import asyncio
import gzip
import resource
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.cancelling import cancel_twice
from tests.support.receivers import Receivers
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.dialling import CheckedBackend
from whatsapp_dashboard.core.safe_http import NoAnswer, Refused, SafeHttp, check_url
from whatsapp_dashboard.errors import Invalid, TooLarge, Unavailable

LOOPBACK = Allowed.parse(["127.0.0.0/8", "::1"])
Make = Callable[..., SafeHttp]


class Dials:
    """Opens connections like the system, and remembers each."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Any:
        self.made.append((host, port))
        return await asyncio.open_connection(host, port)


class Names:
    """A name server: each name has a list of answers, one after the other, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        given = self.answers.get(host)
        if given is None:
            raise OSError("no such name")
        return given.pop(0) if len(given) > 1 else given[0]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes clients that are closed at the end."""
    made: list[SafeHttp] = []

    def client(allowed: Allowed = LOOPBACK, **options: Any) -> SafeHttp:
        made.append(SafeHttp(lambda: allowed, user_agent="test", **options))
        return made[-1]

    yield client
    for one in made:
        await one.close()


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    """Two ports on loopback."""
    async with Receivers(2) as found:
        yield found


LITERALS = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://LOCALHOST.:{port}/", "http://127.1:{port}/", "http://2130706433:{port}/",
    "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://0x7f.1:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/", "http://[2001:0:7f00:1::]:{port}/", "http://[fe80::1]:{port}/", "http://[fd00:ec2::254]/",
    "http://0:{port}/", "http://0.0.0.0:{port}/", "http://[::]:{port}/", "http://10.0.0.1:{port}/", "http://192.168.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/", "http://168.63.129.16/", "http://100.100.100.200/", "http://224.0.0.1:{port}/",
]  # fmt: skip


@pytest.mark.parametrize("url", LITERALS)
async def test_no_way_of_writing_a_private_address_opens_a_socket(make: Make, receivers: Receivers, url: str) -> None:
    """HOOK-7: nothing is dialled and nothing arrives, in whatever form the address is written."""
    dials = Dials()
    http = make(Allowed(), connect=dials)
    wanted = url.format(port=receivers.numbers[0])
    for attempt in (http.request("POST", wanted), http.examine(wanted), http.fetch(wanted, seconds=PATIENCE, limit=100)):
        with pytest.raises((Refused, Invalid, NoAnswer, Unavailable)):
            await attempt
    assert dials.made == []
    assert receivers.connections == 0


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["2606:2800:220:1::1", "::1"],
        ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["169.254.169.254"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"], ["garbage"], [],
    ],
)  # fmt: skip
async def test_a_name_that_leads_to_a_private_address_opens_no_socket(make: Make, receivers: Receivers, answers: list[str]) -> None:
    """HOOK-7: one bad answer among good ones is enough."""
    dials = Dials()
    http = make(Allowed(), resolve=Names(shop_test=[answers]), connect=dials)
    for attempt in (http.request("GET", f"http://shop.test:{receivers.numbers[0]}/"), http.examine("http://shop.test/")):
        with pytest.raises((Refused, NoAnswer, Invalid)):
            await attempt
    assert dials.made == []
    assert receivers.connections == 0


async def test_a_name_whose_answer_changes_is_judged_at_each_connection(make: Make, receivers: Receivers) -> None:
    """HOOK-7: rebinding. What was public when the URL was saved is private now; and the address that was judged is the one dialled."""
    dials = Dials()
    names = Names(shop_test=[["93.184.216.34"], ["127.0.0.1"]])
    http = make(Allowed(), resolve=names, connect=dials)
    await http.examine("http://shop.test/")
    with pytest.raises(Refused) as refused:
        await http.request("POST", f"http://shop.test:{receivers.numbers[0]}/accept")
    assert (refused.value.code, refused.value.host) == ("private_network", "shop.test")
    assert (dials.made, receivers.connections) == ([], 0)
    # One look-up for one connection: no second answer can slip in between judging and dialling.
    names = Names(shop_test=[["127.0.0.1"], ["10.9.9.9"]])
    http = make(LOOPBACK, resolve=names, connect=dials)
    await http.request("POST", f"http://shop.test:{receivers.numbers[0]}/accept")
    assert dials.made == [("127.0.0.1", receivers.numbers[0])]
    assert names.asked == 1


async def test_a_redirect_to_a_private_address_is_an_answer_and_is_not_followed(make: Make, receivers: Receivers) -> None:
    """HOOK-7."""
    dials = Dials()
    http = make(Allowed.parse(["shop.test"]), resolve=Names(shop_test=[["127.0.0.1"]]), connect=dials)
    target = f"http://127.0.0.1:{receivers.numbers[1]}/accept"
    answer = await http.request("POST", f"http://shop.test:{receivers.numbers[0]}/301:{target}")
    assert answer.status == 301
    assert dials.made == [("127.0.0.1", receivers.numbers[0])]
    with pytest.raises(Unavailable):
        await http.fetch(f"http://shop.test:{receivers.numbers[0]}/301:{target}", seconds=PATIENCE, limit=100)
    assert {port for _, port in dials.made} == {receivers.numbers[0]}


async def test_an_allowed_host_or_network_is_reached(make: Make, receivers: Receivers) -> None:
    """HOOK-7: by name, by address; the name of another is not covered."""
    names = Names(n8n_local=[["127.0.0.1"]], other_local=[["127.0.0.1"]])
    http = make(Allowed.parse(["n8n.local"]), resolve=names)
    assert (await http.request("POST", f"http://n8n.local:{receivers.numbers[0]}/accept")).status == 204
    with pytest.raises(Refused):
        await http.request("POST", f"http://other.local:{receivers.numbers[0]}/accept")
    assert (await make(Allowed.parse(["127.0.0.1"])).request("POST", receivers.url("accept"))).address == "127.0.0.1"


async def test_proxies_of_the_environment_are_not_used(make: Make, receivers: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOOK-7: a proxy would dial for us, unjudged."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{receivers.numbers[1]}")
    await make().request("POST", receivers.url("accept"))
    assert receivers.connections == 1


async def test_sockets_of_this_machine_are_never_reached(make: Make) -> None:
    """HOOK-7: neither by a URL nor by the backend's own way; and the backend is really ours."""
    with pytest.raises(Invalid):
        check_url("http+unix://%2Fvar%2Frun%2Fdocker.sock/")
    backend = make()._transport()._pool._network_backend
    assert isinstance(backend, CheckedBackend)
    with pytest.raises(Refused):
        await backend.connect_unix_socket("/var/run/docker.sock")


@pytest.mark.parametrize(
    "url",
    ["", "   ", "example.org", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "http://", "http:///x", "https://user@example.org/",
     "https://user:password@example.org/", "http://example.org:0/", "http://example.org:70000/", "http://exa mple.org/", "http://[::1",
     "http://example.org/\x00", "http://" + "a" * 3_000],
)  # fmt: skip
async def test_what_is_no_web_address_is_refused_with_a_sentence(make: Make, url: str) -> None:
    """HOOK-1."""
    with pytest.raises(Invalid) as refused:
        await make().request("POST", url)
    assert refused.value.field == "url"
    assert refused.value.message


@pytest.mark.parametrize(
    ("behaviour", "seconds", "kind", "words"),
    [
        ("hang", 0.5, "timeout", "No complete answer within 0.5 s."),
        ("drip", 0.5, "timeout", "No complete answer within 0.5 s."),
        ("drop", 60, "network", "The connection ended before the answer was complete."),
        ("garbage", 60, "protocol", "The answer is not HTTP"),
        ("bighead", 60, "protocol", "The answer is not HTTP"),
    ],
)
async def test_bad_servers_end_in_words(make: Make, receivers: Receivers, behaviour: str, seconds: float, kind: str, words: str) -> None:
    """HOOK-4: what went wrong, with whom."""
    with pytest.raises(NoAnswer) as failed:
        await make().request("POST", receivers.url(behaviour), seconds=seconds)
    assert (failed.value.kind, failed.value.address) == (kind, "127.0.0.1")
    assert failed.value.message.startswith(words)


async def test_a_closed_port_and_an_unknown_name_end_in_words(make: Make) -> None:
    """HOOK-4."""
    with pytest.raises(NoAnswer) as failed:
        await make().request("POST", "http://127.0.0.1:1/")
    assert failed.value.message == "Nobody listens at 127.0.0.1:1 (connection refused)."
    with pytest.raises(NoAnswer) as failed:
        await make(resolve=Names()).request("POST", "http://shop.test/")
    assert failed.value.message == "The name shop.test does not lead anywhere."


async def test_a_gigabyte_costs_what_is_asked_for(make: Make, receivers: Receivers) -> None:
    """HOOK-6: the rest is not read, and the connection is dropped."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = await make().request("GET", receivers.url("huge"), body_limit=4_096)
    assert (len(answer.body), answer.truncated) == (4_096, True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB
    with pytest.raises(TooLarge):
        await make().fetch(receivers.url("huge"), seconds=PATIENCE, limit=1_000_000)


async def test_nothing_is_unpacked(make: Make) -> None:
    """HOOK-7: a small answer cannot become a large one."""
    bomb = gzip.compress(b"0" * 10_000_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        answer = await make().request("GET", url, body_limit=100_000)
    assert answer.body == bomb


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(make: Make) -> None:
    """HOOK-4: what is sent into a connection that is just being closed is sent again at once on a new one."""
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        await reader.read(1)  # the next request comes, and nobody answers it here
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        http = make()
        for _ in range(3):
            assert (await http.request("POST", url)).status == 204
    assert served == 3


@pytest.mark.parametrize("behaviour", ["hang", "half"])
@pytest.mark.parametrize("turns", range(6))
async def test_who_is_cancelled_twice_leaves_no_connection_open(make: Make, receivers: Receivers, behaviour: str, turns: int) -> None:
    """AI-3, HOOK-5: a limit within a limit, or a take-over at the very moment of one: the second cancellation meets the first one's work,
    some turns of the loop later."""
    http = make()
    task = asyncio.create_task(http.request("POST", receivers.url(behaviour), seconds=PATIENCE, body_limit=10_000_000))
    await receivers.until(1)
    await asyncio.sleep(0.05)  # so that the head of an answer is here, where there is one
    await cancel_twice(task, turns)
    await until(lambda: receivers.open == 0)


async def test_a_name_server_that_hangs_keeps_nobody_else_waiting(make: Make, receivers: Receivers) -> None:
    """HOOK-5."""
    hang = asyncio.Event()

    async def resolve(host: str, port: int) -> list[str]:
        if host == "slow.test":
            await hang.wait()
        return ["127.0.0.1"]

    http = make(resolve=resolve)
    stuck = [asyncio.create_task(http.request("POST", "http://slow.test:1/", seconds=100)) for _ in range(50)]
    await asyncio.sleep(0.05)
    assert (await http.request("POST", f"http://fast.test:{receivers.numbers[0]}/accept", seconds=100)).status == 204
    assert not any(task.done() for task in stuck)
    hang.set()
    for task in stuck:
        with pytest.raises(NoAnswer):
            await task


async def test_a_fetched_file_has_its_name_and_type(make: Make, receivers: Receivers) -> None:
    """MSG-1: media by URL."""
    found = await make().fetch(receivers.url("say", "menu.html"), seconds=PATIENCE, limit=1_000)
    assert (found.data, found.mimetype, found.filename) == (b"<b>thanks</b>", "text/html", "menu.html")
