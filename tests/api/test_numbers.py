"""Numbers as programs give them, over HTTP: sending, linking by code and contact cards say which number they understood (MSG-2, MSG-10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import phonenumbers
import pytest

from tests.support.example_numbers import COUNTRIES, EXAMPLES, at_home, e164, international_forms
from tests.support.linking import qr_text, wait_ready
from tests.support.server import Server
from tests.support.waiting import until
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import socket_path_for

pytestmark = pytest.mark.slow


def hard_ones() -> list[tuple[str, str]]:
    """Default countries, each with the first country whose number, without a plus, is a number of the default country as well."""
    found = {}
    for country in COUNTRIES:
        for other, number in EXAMPLES.items():
            local = phonenumbers.parse(e164(number), country)
            if phonenumbers.is_valid_number(local) and e164(local) != e164(number):
                found[country] = other
                break
    return sorted(found.items())


HARD = hard_ones()
SAMPLE = [*HARD[:: len(HARD) // 10], ("DE", "DE"), ("BR", "DK"), ("MX", "MX"), ("AR", "AR"), ("IT", "IT"), ("CN", "US")]


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[SandboxPhone]:
    """The sandbox phone of the server's world."""
    async with SandboxPhone(str(socket_path_for(server.data_dir))) as opened:
        yield opened


async def account_in(api: httpx.AsyncClient, country: str | None) -> str:
    """An account with this default country; it need not be linked to take messages."""
    body = {"name": f"Shop {country}", "engine": "sandbox", "settings": {"default_country": country}}
    return str((await api.post("/api/accounts", json=body)).json()["id"])


async def test_each_form_goes_to_the_same_number_and_the_answer_names_it(api: httpx.AsyncClient) -> None:
    """MSG-2: in default countries where the same digits are somebody's at home as well; one conversation for all forms."""
    for country, other in SAMPLE:
        account, number = await account_in(api, country), EXAMPLES[other]
        places = set()
        forms = [*international_forms(number), *([at_home(number)] if country == other else [])]
        for text in forms:
            answer = await api.post("/api/messages/send", json={"account_id": account, "number": text, "message": "hello"})
            assert answer.status_code == 202, (country, text, answer.text)
            assert answer.json()["number"] == f"+{e164(number)}", (country, text)
            places.add(answer.json()["conversation_id"])
        assert len(places) == 1, (country, other)


async def test_the_answer_names_the_other_number_that_was_possible(api: httpx.AsyncClient) -> None:
    """MSG-2: a Dane for an account in Brazil; with a plus nothing else is possible. The same key answers the same."""
    account = await account_in(api, "BR")
    body = {"account_id": account, "number": "4534412345", "message": "hello"}
    for _ in range(2):
        sent = (await api.post("/api/messages/send", json=body, headers={"Idempotency-Key": "one"})).json()
        assert (sent["number"], sent["number_other"]) == ("+4534412345", "+554534412345")
    for number in ("+4534412345", "4534412345@c.us"):
        sent = (await api.post("/api/messages/send", json={**body, "number": number})).json()
        assert (sent["number"], sent["number_other"]) == ("+4534412345", None)
    group = (await api.post("/api/messages/send", json={**body, "number": "120363000000000001@g.us"})).json()
    assert (group["number"], group["number_other"]) == (None, None)


async def test_a_bad_number_is_a_sentence_about_its_field(api: httpx.AsyncClient) -> None:
    """MSG-2, API-1."""
    account = await account_in(api, None)
    await api.post(f"/api/accounts/{account}/reconnect")
    for path, body, field in (
        ("/api/messages/send", {"account_id": account, "message": "hello", "number": "0151 12345678"}, "number"),
        ("/api/messages/send/contact", {"account_id": account, "number": "+34600111222", "name": "A", "phones": ["0151 12"]}, "phones"),
        (f"/api/accounts/{account}/pairing-code", {"phone": "0151 12345678"}, "phone"),
        (f"/api/accounts/{account}/pairing-code", {"phone": "120363000000000001@g.us"}, "phone"),
    ):
        refused = await api.post(path, json=body)
        assert (refused.status_code, refused.json()["field"], refused.json()["code"]) == (422, field, "bad_number"), refused.text
        assert "for example +34600111222" in refused.json()["detail"]


async def test_a_pairing_code_is_for_the_number_that_was_meant(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-2, ACC-3: the answer names it, and the phone with that number is the one that is linked."""
    account = await account_in(api, "BR")
    await api.post(f"/api/accounts/{account}/reconnect")

    async def code_for(number: str) -> Any:
        answer = await api.post(f"/api/accounts/{account}/pairing-code", json={"phone": number})
        return answer.json() if answer.status_code == 200 else None

    await until(lambda: code_for("+4534412345"))
    for country, other in SAMPLE:
        await api.patch(f"/api/accounts/{account}", json={"settings": {"default_country": country}})
        for text in international_forms(EXAMPLES[other]):
            assert (await code_for(text))["number"] == f"+{e164(EXAMPLES[other])}", (country, text)
    await api.patch(f"/api/accounts/{account}", json={"settings": {"default_country": "BR"}})
    given = await code_for("4534412345")
    assert (given["number"], given["number_other"]) == ("+4534412345", "+554534412345")
    await phone.enter_pairing_code(given["code"])
    await wait_ready(api, account)
    assert (await api.get(f"/api/accounts/{account}")).json()["phone"] == "4534412345"


async def test_a_card_carries_the_numbers_that_were_meant(api: httpx.AsyncClient) -> None:
    """MSG-1, MSG-2: each form of a number is the same number on the card."""
    for country, other in SAMPLE:
        account, number = await account_in(api, country), EXAMPLES[other]
        forms = list(international_forms(number))
        body = {"account_id": account, "number": "+34600111222", "name": "Ana", "phones": forms[:10]}
        sent = (await api.post("/api/messages/send/contact", json=body)).json()
        payload = (await api.get(f"/api/messages/{sent['id']}")).json()["payload"]
        assert payload["contacts"][0]["phones"] == [f"+{e164(number)}"], country


async def test_the_address_of_a_webhook_is_answered(api: httpx.AsyncClient, phone: SandboxPhone) -> None:
    """MSG-2, MSG-10: a Mexican number as WhatsApp writes it, from which nothing could be answered; and as a person writes it."""
    account = await account_in(api, "DE")
    settings = {"pacing": {"min_ms": 0, "max_ms": 0, "typing": False}}
    await api.patch(f"/api/accounts/{account}", json={"settings": settings})
    await api.post(f"/api/accounts/{account}/reconnect")

    await phone.scan(await qr_text(api, account))
    await wait_ready(api, account)
    contact = (await phone.add_contact("Ana", "5215512345678"))["id"]
    await phone.send_text(contact, "hola")

    async def came() -> Any:
        return (await api.get("/api/conversations", params={"account_id": account})).json()["items"]

    (conversation,) = await until(came)
    for number in ("5215512345678@c.us", "+52 1 55 1234 5678", "+52 55 1234 5678", "525512345678@s.whatsapp.net"):
        sent = (await api.post("/api/messages/send", json={"account_id": account, "number": number, "message": number})).json()
        assert (sent["number"], sent["conversation_id"]) == ("+5215512345678", conversation["id"])

    async def arrived() -> bool:
        return len(await phone.received(contact)) == 4

    await until(arrived)
