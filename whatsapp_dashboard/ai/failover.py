"""Asks the providers of an account in their order until one answers (AI-3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from whatsapp_dashboard.ai.breaker import Breakers, Resting
from whatsapp_dashboard.ai.providers.base import ChatMemory, Connection, Prompt, ProviderError, without_key
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.views import Outcome, StepView

log = structlog.get_logger(__name__)

QUEUE_SECONDS = 60.0
"""How long a request waits for its turn at a provider before the next provider is asked."""
MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class Target:
    """A provider of an account, ready to be asked. Holds the key: never logged or stored."""

    id: str
    workspace_id: str
    kind: str
    label: str
    model: str
    url: str
    key: str = field(repr=False)
    concurrency: int
    images: bool
    """Whether it is given pictures."""
    audio: bool
    """Whether it is given voice messages."""


@dataclass(slots=True)
class Asked:
    """What became of a question. ``steps`` grows while it runs, so that a cancelled one can tell what it did."""

    text: str = ""
    steps: list[StepView] = field(default_factory=list)
    blocked_host: str = ""
    """The private host of the last provider, if that is why it was not reached: what an owner could allow."""

    @property
    def answered(self) -> bool:
        """Whether a provider answered."""
        return bool(self.text)


class Failover:
    """The one place that asks providers."""

    def __init__(self, providers: Providers, breakers: Breakers) -> None:
        self._providers = providers
        self._breakers = breakers

    async def ask(
        self, targets: Sequence[Target], prompt: Prompt, asked: Asked, *, seconds: float, chat: Callable[[Target], ChatMemory] | None = None
    ) -> None:
        """Fill ``asked``: the first answer, and every step on the way. ``chat`` gives the memory of providers that keep the
        conversation themselves."""
        for target in targets:
            try:
                if not self._breakers.may_ask(target.id):
                    raise Resting
                async with self._breakers.turn(target.id, target.concurrency, QUEUE_SECONDS):
                    await self.ask_one(target, prompt, asked, seconds=seconds, chat=chat)
            except Resting:
                health = self._breakers.health(target.id)
                asked.steps.append(step(target, Outcome.RESTING, health.last_error or "It failed lately and is left alone for a while."))
            except TimeoutError:
                asked.steps.append(step(target, Outcome.BUSY, f"All {target.concurrency} turns were taken for {QUEUE_SECONDS:.0f} s."))
            if asked.answered:
                return

    async def ask_one(
        self, target: Target, prompt: Prompt, asked: Asked, *, seconds: float, chat: Callable[[Target], ChatMemory] | None = None
    ) -> None:
        """Ask this provider, whether it rests or not."""
        memory = chat(target) if chat else None
        connection = Connection(
            kind=target.kind, model=target.model, key=target.key, url=target.url, chat=memory, workspace_id=target.workspace_id
        )
        began = time.monotonic()
        try:
            completion = await self._providers.complete(connection, _for(target, prompt), seconds)
        except asyncio.CancelledError:
            asked.steps.append(step(target, Outcome.CANCELLED, "Not needed any more.", ms=_ms(began)))
            raise
        except ProviderError as error:
            self._breakers.failed(target.id, error)
            asked.blocked_host = error.host
            asked.steps.append(step(target, Outcome(error.kind), error.message, ms=_ms(began)))
        except Exception as error:
            # A fault of ours or of an SDK must not silence the bot while another provider could answer.
            log.exception("asking a provider failed", provider=target.kind, model=target.model)
            words = f"The provider's library failed ({type(error).__name__})."
            self._breakers.failed(target.id, ProviderError("bad_answer", words))
            asked.steps.append(step(target, Outcome.BAD_ANSWER, words, ms=_ms(began)))
        else:
            self._breakers.succeeded(target.id)
            asked.text = without_key(completion.text, target.key)  # a server that echoes what it got
            done = step(target, Outcome.OK, "", ms=_ms(began))
            asked.steps.append(
                replace(
                    done,
                    model=completion.model or target.model,
                    tokens_in=completion.tokens_in,
                    tokens_out=completion.tokens_out,
                    cost_micros=completion.cost_micros,
                )
            )


def step(target: Target, outcome: Outcome, error: str, *, ms: int = 0) -> StepView:
    """What happened at one provider."""
    return StepView(
        provider_id=target.id,
        label=target.label,
        kind=target.kind,
        model=target.model,
        outcome=outcome,
        error=error[:MAX_ERROR],
        ms=ms,
        tokens_in=0,
        tokens_out=0,
        cost_micros=None,
    )


def _for(target: Target, prompt: Prompt) -> Prompt:
    """The prompt without the files this provider is not given."""
    turns = []
    for turn in prompt.turns:
        files = tuple(file for file in turn.files if takes(target, file.mimetype))
        turns.append(replace(turn, files=files, text=turn.text or "" if files or turn.text else "(a file that cannot be shown here)"))
    return replace(prompt, turns=tuple(turns))


def takes(target: Target, mimetype: str) -> bool:
    """Whether the provider is given files of this type."""
    return (target.images and mimetype.startswith("image/")) or (target.audio and mimetype.startswith("audio/"))


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1_000)
