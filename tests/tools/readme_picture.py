"""Makes the README's screenshot anew: a dashboard with a few lively sandbox conversations, photographed in a real browser.

    python -m tests.tools.readme_picture
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.setting import Stage, stage
from tests.support.browser import Window, launched
from tests.support.linking import linked_account
from tests.support.server import OWNER, OWNER_PASSWORD, ROOT
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.sandbox_phone import samples

TARGET = Path("docs/images/inbox.png")
_TALK = [
    ("aisha", "Do you deliver on Sundays too?"),
    ("lucas", "Bom dia! Tem mesa para quatro às 20h?"),
    ("carla", "Hi! Is the sourdough back tomorrow?"),
    ("dev", "Where is my order? It said Tuesday."),
    ("carla", "And could you keep two for me?"),
]
_ANSWERED_BY_HAND = "dev"
"""From here on the bot is silent."""


async def talk(on: Stage) -> None:
    """What the contacts wrote, and what was answered."""
    reply = {"enabled": True, "text": "Thank you, we have your message and answer within the hour."}
    account = await linked_account(on.api, on.phone, "Riverside Bakery", auto_reply=reply)
    await linked_account(on.api, on.phone, "Harbour Cycles")
    for contact, text in _TALK:
        if contact == _ANSWERED_BY_HAND:
            off = {"settings": {"auto_reply": {"enabled": False}}}
            (await on.api.patch(f"/api/accounts/{account}", json=off)).raise_for_status()
        await on.phone.send_text(contact, text, account=account)
        await asyncio.sleep(0.4)
    found = (await on.api.get("/api/conversations", params={"account_id": account})).json()["items"]
    carla = next(item["id"] for item in found if item["contact_name"].startswith("Carla"))
    (await on.api.post(f"/api/conversations/{carla}/take-over")).raise_for_status()
    sent = {"account_id": account, "conversation_id": carla, "message": "Of course, Carla. Two loaves with your name on them"}
    (await on.api.post("/api/messages/send", json=sent)).raise_for_status()
    await asyncio.sleep(1)
    await on.phone.send_file("carla", MessageType.IMAGE, samples.image(), "You made my weekend!", account=account)
    await on.phone.open_chat("carla", account)
    await asyncio.sleep(2)


async def main() -> None:
    """Play and shoot."""
    async with stage() as on, launched() as browser:
        await talk(on)
        page = await Window(browser, on.server).log_in(OWNER, OWNER_PASSWORD, width=1440, height=860)
        await page.goto("/inbox")
        await page.get_by_text("Carla Méndez").first.click()
        await page.get_by_text("Two loaves").last.wait_for()
        await page.wait_for_timeout(1_500)
        (ROOT / TARGET).parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=ROOT / TARGET)


if __name__ == "__main__":
    asyncio.run(main())
