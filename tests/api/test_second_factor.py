"""One's own access by API: the second factor, and the password that changes of access ask for (SEC-3, SEC-6, API-3)."""

from __future__ import annotations

import httpx
import pyotp
import pytest

from tests.support.server import OWNER, OWNER_PASSWORD

pytestmark = pytest.mark.slow


async def test_a_program_sets_the_second_factor_up_and_off_with_the_password(api: httpx.AsyncClient) -> None:
    """SEC-3"""
    path = "/api/auth/second-factor"
    assert (await api.get(path)).json() == {"on": False}
    for body, code in (({}, "password_needed"), ({"current_password": "wrong password here"}, "wrong_password")):
        for where in (path, f"{path}/off"):
            answer = await api.post(where, json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
    made = (await api.post(path, json={"current_password": OWNER_PASSWORD})).json()
    assert made["qr"].startswith("data:image/png;base64,")
    assert (await api.post(f"{path}/on", json={"code": "not it"})).json()["code"] == "wrong_code"
    code = pyotp.TOTP(made["secret"]).now()
    assert (await api.post(f"{path}/on", json={"code": code})).status_code == 204
    assert (await api.get(path)).json() == {"on": True}
    given = {"username": OWNER, "password": OWNER_PASSWORD}
    assert (await api.post("/api/auth/token", json=given)).json()["code"] == "totp_required"
    assert (await api.post("/api/auth/token", json={**given, "code": code})).json()["code"] == "totp_wrong", "used up"
    assert (await api.post(f"{path}/off", json={"current_password": OWNER_PASSWORD})).status_code == 204
    assert (await api.post("/api/auth/token", json=given)).status_code == 200


async def test_a_program_gives_the_password_again_to_let_somebody_in(api: httpx.AsyncClient) -> None:
    """SEC-6"""
    new = {"username": "dora", "role": "viewer"}
    assert (await api.post("/api/operators", json=new)).json()["code"] == "password_needed"
    sure = {"current_password": OWNER_PASSWORD}
    made = await api.post("/api/operators", json={**new, **sure})
    assert made.status_code == 201, made.text
    dora = f"/api/operators/{made.json()['id']}"
    assert (await api.patch(dora, json={"role": "owner"})).json()["code"] == "password_needed"
    assert (await api.patch(dora, json={"role": "owner", **sure})).json()["role"] == "owner"
    assert (await api.patch(dora, json={"role": "viewer"})).json()["role"] == "viewer"
    assert (await api.post(f"{dora}/password", json={})).json()["code"] == "password_needed"
    assert (await api.post(f"{dora}/password", json=sure)).json()["password"] != made.json()["password"]
