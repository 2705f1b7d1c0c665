"""What docs/webhooks.md says is so: the events, and the receivers, which are run (HOOK-2, HOOK-3)."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.peer.customer_process import find_node
from tests.support import webhook_docs
from tests.support.ports import ReservedPort
from tests.support.waiting import PATIENCE, block_until
from tests.webhooks.conftest import House
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.webhooks.bodies import _BUILDERS
from whatsapp_dashboard.webhooks.payloads import EVENT_MODELS, Envelope, example_body
from whatsapp_dashboard.webhooks.signing import new_secret, signature_headers
from whatsapp_dashboard.webhooks.views import WebhookDraft

_BLOCK = re.compile(r"```(python|javascript)\n(.*?)```", re.DOTALL)
BODY = b'{"event":"message","data":{"body":"Hello"}}'


def blocks() -> dict[str, str]:
    """The whole receivers in the document: the first block of each language."""
    found: dict[str, str] = {}
    for language, code in _BLOCK.findall(webhook_docs.DOCUMENT.read_text()):
        found.setdefault(language, code)
    return found


def test_the_document_lists_every_event_as_the_models_say() -> None:
    """HOOK-2: generated from what builds the bodies."""
    assert webhook_docs.DOCUMENT.read_text() == webhook_docs.rendered(), "run: python -m tests.support.webhook_docs"
    assert EVENT_MODELS.keys() == _BUILDERS.keys()


@pytest.mark.parametrize("name", EVENT_MODELS)
def test_each_example_is_what_its_model_makes(name: str) -> None:
    """HOOK-2: an example with a missing, an additional or a wrong key would be refused or come out differently."""
    model = EVENT_MODELS[name]
    made = model.model_validate({_attribute(model, key): value for key, value in model.example.items()}, extra="forbid")
    assert made.model_dump(by_alias=True) == model.example
    assert Envelope.model_validate(example_body(name, model)).data == model.example


def _attribute(model: type, key: str) -> str:
    return next((name for name, field in model.model_fields.items() if field.serialization_alias == key), key)  # type: ignore[attr-defined]


class Example:
    """A receiver of the document, running."""

    def __init__(self, command: list[str], secret: str) -> None:
        self.port = ReservedPort()
        self.secret = secret
        env = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": str(self.port.number)}
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.port.number}/hook"
        block_until(self._listens, pause=0.05)

    def _listens(self) -> bool:
        try:
            httpx.get(self.url, timeout=PATIENCE)
        except httpx.TransportError:
            assert self.process.poll() is None, self.process.communicate()
            return False
        return True

    def send(self, headers: dict[str, str], body: bytes = BODY) -> int:
        """The status it answers."""
        return httpx.post(self.url, content=body, headers=headers, timeout=PATIENCE).status_code

    def stop(self) -> str:
        """What it printed."""
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE)[0]


@pytest.fixture(params=["python", "javascript"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Example]]:
    """Starts a receiver of the document with a secret."""
    started: list[Example] = []

    def start(secret: str) -> Example:
        path = tmp_path / ("receiver.py" if request.param == "python" else "receiver.mjs")
        path.write_text(blocks()[request.param])
        command = [sys.executable if request.param == "python" else find_node(), str(path)]
        started.append(Example(command, secret))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize("secret", [new_secret(), "a secret of my own"], ids=["made", "own"])
def test_the_receivers_in_the_document_take_what_is_ours_and_nothing_else(example: Callable[[str], Example], secret: str) -> None:
    """HOOK-3: a good request, the old secret during a rotation, an altered body, a wrong secret, an old request, the same one twice."""
    receiver = example(secret)
    now = int(Clock().now().timestamp())
    good = signature_headers((secret,), "evt_1", now, BODY)
    assert receiver.send(good) == 204
    assert receiver.send(good) == 204
    assert receiver.send(signature_headers((new_secret(), secret), "evt_2", now, BODY)) == 204
    assert receiver.send(good, BODY.replace(b"Hello", b"Hallo")) == 401
    assert receiver.send(signature_headers((new_secret(),), "evt_3", now, BODY)) == 401
    assert receiver.send(signature_headers((secret,), "evt_4", now - 3_600, BODY)) == 401
    assert receiver.send({"webhook-id": "evt_5", "webhook-timestamp": str(now)}) == 401
    assert receiver.stop().count("Hello") == 2


async def test_a_delivery_of_ours_reaches_a_receiver_of_the_document(house: House, example: Callable[[str], Example]) -> None:
    """HOOK-3: from the event to the endpoint."""
    secret = "whsec_" + base64.b64encode(b"x" * 32).decode()
    receiver = example(secret)
    await house.webhooks.create(house.cast.ben, WebhookDraft(url=receiver.url, secret=secret))
    await house.happens("Lentils, please")
    await house.until(succeeded=1)
    assert "Lentils, please" in receiver.stop()
