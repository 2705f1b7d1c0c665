"""Statuses and settings follow one table each (ACC-2, MSG-4, ACC-11)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.account_status import LEGAL, AccountStatus, is_legal
from whatsapp_dashboard.domain.messages import MessageStatus, status_advances
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Forbidden


def test_the_statuses_are_exactly_the_promised_ones() -> None:
    """ACC-2: six statuses, each with a row in the table."""
    names = {"initializing", "qr_ready", "ready", "disconnected", "auth_failed", "error"}
    assert {status.value for status in AccountStatus} == names
    assert set(LEGAL) == set(AccountStatus)


def test_a_logged_out_account_cannot_become_ready_without_a_new_start() -> None:
    """ACC-2: an illegal change is refused."""
    assert not is_legal(AccountStatus.AUTH_FAILED, AccountStatus.READY)
    assert not is_legal(AccountStatus.READY, AccountStatus.QR_READY)
    assert is_legal(AccountStatus.AUTH_FAILED, AccountStatus.INITIALIZING)


@pytest.mark.parametrize("status", list(MessageStatus))
def test_a_status_never_repeats_or_goes_back(status: MessageStatus) -> None:
    """MSG-4: the ladder has one direction."""
    assert not status_advances(status, status)
    assert not status_advances(MessageStatus.READ, status)
    assert not status_advances(status, MessageStatus.QUEUED)


def test_a_late_receipt_proves_a_message_that_seemed_failed() -> None:
    """MSG-4: WhatsApp's word outweighs our doubt; a delivered message cannot fail afterwards."""
    assert status_advances(MessageStatus.FAILED, MessageStatus.DELIVERED)
    assert not status_advances(MessageStatus.DELIVERED, MessageStatus.FAILED)


@pytest.mark.parametrize(
    "bad",
    [
        {"pacing": {"min_ms": 500, "max_ms": 100}},
        {"pacing": {"min_ms": -1}},
        {"takeover_minutes": 0},
        {"auto_reply": {"enabled": True, "text": "  "}},
        {"default_country": "XX"},
        {"unknown": 1},
        {"governor": {"new_contacts_per_day": "many"}},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(bad: dict[str, object]) -> None:
    """SEC-8, ACC-11: each with its own reason."""
    with pytest.raises(ValidationError):
        AccountSettings.model_validate(bad)


def test_roles_include_the_ones_below() -> None:
    """SEC-6: viewer reads, operator works, owner administers."""
    ben = Principal("o", "w", "ben", Role.OPERATOR, "s")
    ben.require(Role.VIEWER)
    ben.require(Role.OPERATOR)
    with pytest.raises(Forbidden, match="owner"):
        ben.require(Role.OWNER)
