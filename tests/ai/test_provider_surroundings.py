"""What providers leave alone: the environment, the event loop, the start of the dashboard, the network for prices (AI-2, AI-6)."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import httpx
import pytest

from tests.ai.providers import ALL, KEY, PROMPT, SDK_EACH, SECONDS, Asking, Memory
from tests.support.llm_server import Behaviour, LlmServer
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.ai.providers.base import ProviderError
from whatsapp_dashboard.ai.providers.registry import KINDS
from whatsapp_dashboard.core.addresses import Allowed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SDKS = ("openai", "anthropic", "google.genai", "groq", "mistralai", "cohere", "pydantic_ai", "genai_prices", "httpx2")
ELSEWHERE = "http://127.0.0.1:9/elsewhere"
ENVIRONMENT = {
    **{f"{name}_API_KEY": "sk-environment" for name in (
        "OPENAI", "ANTHROPIC", "GOOGLE", "GEMINI", "GROQ", "MISTRAL", "OPENROUTER", "SAMBANOVA", "CO", "RETELL", "HUGGINGFACE",
    )},
    **{f"{name}_BASE_URL": ELSEWHERE for name in ("OPENAI", "ANTHROPIC", "GROQ", "SAMBANOVA", "CO", "OLLAMA", "RETELL", "GOOGLE_GEMINI")},
    **{f"{name}_CUSTOM_HEADERS": "authorization: Bearer sk-environment\nx-api-key: sk-environment\nx-extra: 1" for name in (
        "OPENAI", "ANTHROPIC", "GROQ", "RETELL",
    )},
    "ANTHROPIC_AUTH_TOKEN": "sk-environment", "OPENAI_ORG_ID": "org-environment", "OPENAI_PROJECT_ID": "project-environment",
    "OPENAI_ADMIN_KEY": "sk-environment", "HF_TOKEN": "sk-environment", "HF_ENDPOINT": ELSEWHERE, "CO_API_URL": ELSEWHERE,
    "GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "environment", "GOOGLE_CLOUD_LOCATION": "us-central1",
    "GOOGLE_API_USE_MTLS_ENDPOINT": "always", "OPENROUTER_APP_URL": "https://environment", "OPENROUTER_APP_TITLE": "environment",
    "HTTP_PROXY": ELSEWHERE, "HTTPS_PROXY": ELSEWHERE, "ALL_PROXY": ELSEWHERE,
}  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    """Every provider there is, on loopback."""
    async with LlmServer() as found:
        yield found


@pytest.fixture
async def asking(server: LlmServer) -> AsyncIterator[Asking]:
    """The way to them."""
    found = Asking(server)
    yield found
    await found.close()


@pytest.mark.parametrize("kind", ALL)
async def test_the_environment_changes_nothing_that_is_sent(asking: Asking, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AI-2, AI-9: keys, headers, organisations, addresses and proxies of the environment have no say."""
    await asking.complete(kind, chat=Memory())
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    await asking.providers.close()  # forgets the clients, so that they are made anew
    await asking.complete(kind, chat=Memory())
    before, after = asking.server.requests(kind)
    assert after.said == before.said
    assert {**after.headers, "content-length": ""} == {**before.headers, "content-length": ""}
    assert "environment" not in json.dumps([dict(after.headers), after.body, after.path])


@pytest.mark.parametrize("kind", [name for name in ALL if name != "compatible"])
async def test_without_an_address_the_providers_own_is_asked(server: LlmServer, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AI-2: the default address is the kind's, whatever the environment says; lists come from the same place."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    looked_up: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append((host, port))
        raise OSError("no such name")

    asking = Asking(server, Allowed(), resolve=resolve)
    error = await asking.fails(kind, url="")
    with pytest.raises(ProviderError, match="does not lead anywhere"):
        await asking.providers.models(asking.connection(kind, url=""), SECONDS)
    await asking.close()
    own = urlsplit(asking.providers.kind(kind).default_url)
    assert own.scheme == "https"
    assert looked_up == [(own.hostname, 443)] * 2
    assert error.kind == "network"
    assert "does not lead anywhere" in error.message


def test_the_dashboard_starts_without_any_sdk() -> None:
    """AI-2: 1 to 2 seconds and some 100 MB that an installation without AI never pays."""
    code = (
        "import sys, whatsapp_dashboard.runtime, whatsapp_dashboard.api.app, whatsapp_dashboard.ai.providers.registry as registry\n"
        "from whatsapp_dashboard.core.outgoing import Outgoing\n"
        "kinds = registry.Providers(Outgoing(lambda _: None, user_agent='test')).kinds()\n"
        "[(kind.takes_images('gpt-6'), kind.takes_audio('gemini-3')) for kind in kinds]\n"
        f"print([name for name in {SDKS!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


_FIRST_USE = """
import asyncio, sys, threading
from tests.ai.providers import Asking
from tests.support.llm_server import LlmServer

class Watch:
    where = {}
    def find_spec(self, name, path=None, target=None):
        self.where.setdefault(name, threading.current_thread() is threading.main_thread())

async def main():
    async with LlmServer() as server:
        asking = Asking(server)
        sys.meta_path.insert(0, Watch())
        await asyncio.gather(asking.complete(sys.argv[1]), asking.complete(sys.argv[1]))
        await asking.complete(sys.argv[1])
        await asking.close()
    print(sorted(name for name, main in Watch.where.items() if main and name.split('.')[0] in sys.argv[2].split()))
    print(len(Watch.where))

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", SDK_EACH)
def test_sdks_are_loaded_off_the_event_loop_with_the_first_request(kind: str) -> None:
    """ACC-6: the other sessions go on while an SDK is imported. What is looked for in the loop's thread is next to nothing."""
    packages = "openai anthropic google groq mistralai cohere genai_prices"
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_USE, kind, packages], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    on_the_loop, all_of_them = done.stdout.strip().splitlines()
    # SDKs load a few small modules of theirs (types of one call) when a call is made.
    assert len(ast.literal_eval(on_the_loop)) <= 12, on_the_loop
    assert int(all_of_them) > 100


async def test_costs_come_from_the_provider_or_the_price_list_or_are_not_known(asking: Asking) -> None:
    """AI-6: OpenRouter says it; for five others the list knows the default model; for a server of one's own nobody knows."""
    asking.server.behave("openrouter", Behaviour(cost=0.00125))
    assert (await asking.complete("openrouter")).cost_micros == 1_250
    for kind in ("openai", "anthropic", "google", "groq", "mistral", "cohere"):
        asking.server.behave(kind, Behaviour(tokens=(1_000_000, 100_000)))
        cost = (await asking.complete(kind)).cost_micros
        assert cost is not None, kind
        assert 10_000 < cost < 20_000_000, kind
    assert (await asking.complete("compatible", model="gpt-5.6-luna")).cost_micros is None, "named like OpenAI's, and not OpenAI's"
    assert (await asking.complete("openai", model="a-model-of-tomorrow")).cost_micros is None


async def test_default_models_are_known_to_the_library_that_asks_them(asking: Asking) -> None:
    """AI-2: a suggestion that does not exist would be a bad start."""
    from genai_prices.data_snapshot import get_snapshot
    from pydantic_ai.models import KnownModelName

    names = {str(name) for name in get_args(KnownModelName.__value__)}
    routed = next(provider for provider in get_snapshot().providers if provider.id == "openrouter")
    for kind in asking.providers.kinds():
        if kind.name == "openrouter":
            assert routed.find_model(kind.default_model) is not None
        elif kind.default_model and kind.name != "sambanova":
            assert f"{kind.name}:{kind.default_model}" in names
    assert asking.providers.kind("openai").key_help_url.startswith("https://")


async def test_kinds_say_what_forms_and_pages_need(asking: Asking) -> None:
    """AI-2: eleven kinds, each with its title, address, key page and word for the model."""
    kinds = asking.providers.kinds()
    assert [kind.name for kind in kinds] == ALL
    assert len({kind.title for kind in kinds}) == len(kinds) == 11
    for kind in kinds:
        assert kind.lists_models
        assert kind.url_needed == (not kind.default_url)
        assert not kind.needs_key or kind.key_help_url.startswith("https://")
        assert asking.providers.kind(kind.name) is kind
    assert [kind.name for kind in kinds if kind.model_word != "Model"] == ["retell"]


def test_the_server_runs_as_a_process_of_its_own() -> None:
    """AI-3: proofs in other processes have the same providers, told how to behave over HTTP."""
    command = [sys.executable, "-m", "tests.support.llm_server", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        behaviour = [{"do": "error", "status": 503}, {"text": "Back again.", "tokens": [1, 2]}]
        assert httpx.put(f"{told['address']}/control/openai", json=behaviour, timeout=PATIENCE).status_code == 200
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        headers = {"authorization": f"Bearer {KEY}"}
        chat = f"{told['urls']['openai']}/chat/completions"
        assert httpx.post(chat, json=body, headers=headers, timeout=PATIENCE).status_code == 503
        assert httpx.post(chat, json=body, headers=headers, timeout=PATIENCE).json()["choices"][0]["message"]["content"] == "Back again."
        counts = httpx.get(f"{told['address']}/control", timeout=PATIENCE).json()
        assert counts["requests"] == {"openai/chat": 2}
    finally:
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0


async def test_answers_to_many_at_once_share_one_client(asking: Asking) -> None:
    """AI-3: an SDK client per request would cost more than the request."""
    await asyncio.gather(*[asking.complete("openai", PROMPT) for _ in range(20)])
    kind = asking.providers._kind(asking.connection("openai"))  # those of the workspace
    assert len(kind._kept) == 1  # type: ignore[attr-defined]
    await asking.complete("openai", key="sk-another-key")
    assert len(kind._kept) == 2  # type: ignore[attr-defined]
    assert asking.server.requests("openai")[-1].headers["authorization"] == "Bearer sk-another-key"


def test_the_documentation_names_every_kind_with_its_model_and_address() -> None:
    """AI-2: what the tables of docs/ai.md say is what the program does."""
    text = (ROOT / "docs" / "ai.md").read_text()
    for kind in (make(None) for make in KINDS):  # type: ignore[arg-type]
        [row] = [line for line in text.splitlines() if f"| `{kind.name}` |" in line and line.startswith(f"| {kind.title} |")]
        assert kind.default_model in row
        assert kind.key_help_url in row
        assert not kind.default_url or f"| `{kind.name}` | {kind.default_url} |" in text
