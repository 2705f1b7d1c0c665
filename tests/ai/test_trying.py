"""What an operator tries without WhatsApp, and what follows from it (AI-7)."""

from __future__ import annotations

from dataclasses import replace

from tests.ai.conftest import Bot, says
from tests.support.llm_server import Behaviour
from whatsapp_dashboard.ai.breaker import FAILURES
from whatsapp_dashboard.ai.providers.base import ProviderError
from whatsapp_dashboard.ai.views import KEPT, ProviderDraft


async def test_a_test_that_is_answered_ends_the_rest_of_the_stored_provider_only(bot: Bot) -> None:
    """AI-1, AI-3: whoever mended a provider need not wait; what another model or key can do says nothing of it."""
    provider = await bot.provider("openai")
    for _ in range(FAILURES):
        bot.breakers.failed(provider.id, ProviderError("unavailable", "It is out of order."))
    stored = ProviderDraft(kind="openai", model=provider.model, key=KEPT, url=provider.url)

    async def tested(draft: ProviderDraft) -> tuple[bool, bool]:
        result = await bot.trying.test(bot.house.cast.ben, bot.house.account, draft, provider.id)
        return result.ok, bot.breakers.may_ask(provider.id)

    bot.server.behave("openai", Behaviour("error", status=500), says("I am here."))
    assert await tested(stored) == (False, False)
    assert await tested(replace(stored, model="another")) == (True, False)
    assert await tested(replace(stored, key="sk-another-0123456789")) == (True, False)
    assert await tested(stored) == (True, True)
    assert (await bot.ai.get(bot.house.cast.vic, bot.house.account)).providers[0].last_error == ""
