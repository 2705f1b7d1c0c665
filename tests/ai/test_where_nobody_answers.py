"""Status updates, channels and broadcast lists are never answered, whatever is switched on (ACC-8)."""

from __future__ import annotations

import pytest

from tests.ai.conftest import Bot, says
from tests.support.pipeline import CARLA, GROUP_JID
from whatsapp_dashboard.domain.ids import parse_jid
from whatsapp_dashboard.models import Account, Reply

NEVER = ("status@broadcast", "120363777@newsletter", "1700000000@broadcast")


@pytest.mark.parametrize("ai", [True, False], ids=["AI", "fixed text"])
async def test_status_updates_and_channels_are_stored_and_never_answered(bot: Bot, ai: bool) -> None:
    """ACC-8: also with "answer groups" on, by which the group in between is answered."""
    house = bot.house
    if ai:
        await bot.provider()
        await bot.turn_on()
        bot.server.behave("openai", says("Fine."))
    async with house.db.write() as session:
        account = await session.get(Account, house.account)
        assert account is not None
        fixed = {"auto_reply": {"enabled": True, "text": "Fine."}}
        account.settings = account.settings | fixed | {"answer_groups": True}
    for jid in NEVER:
        await house.receive(f"look at {jid}", parse_jid(jid), sender=CARLA)
    await house.receive("group", parse_jid(GROUP_JID), sender=CARLA)
    await house.until_sent(1)
    await house.settle()
    assert [str(to) for _, to, _ in house.engine.sent] == [GROUP_JID]
    stored = await house.messages_of(direction="incoming")
    assert len(stored) == len(NEVER) + 1
    decided = {reply.message_id for reply in await house.rows(Reply)}
    assert [message.body for message in stored if message.id in decided] == ["group"]
    assert len(bot.server.requests()) == int(ai)
