"""What the inbox says before anybody has written, and what the linking dialog says when no phone came (MSG-7, ACC-3)."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.ui.test_account_lines import NOW, row
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.ui.accounts.link_state import phase_of
from whatsapp_dashboard.ui.inbox.first_step import FirstStep, first_step


def test_the_first_step_fits_the_accounts() -> None:
    """MSG-7: real numbers come first; the account that is looked at decides where there is one."""
    sandbox, real = row(id="s", name="Try"), row(id="r", name="Shop", engine="multidevice")
    unlinked = row(id="u", name="New", linked=False, phone=None)
    assert first_step([]) == FirstStep("account")
    assert first_step([unlinked]) == FirstStep("link", "New")
    assert first_step([unlinked, sandbox]).kind == "sandbox"
    assert first_step([sandbox, real]) == FirstStep("number", "Shop", "+34 600 11 12 22")
    assert first_step([sandbox, real], "s").kind == "sandbox"
    assert first_step([sandbox, real, unlinked], "u") == FirstStep("link", "New")
    assert first_step([real], "of another workspace").kind == "number"


@pytest.mark.parametrize(
    ("status", "next_attempt", "shown", "phase"),
    [
        ("disconnected", None, False, "failed"),
        ("disconnected", None, True, "ended"),
        ("error", None, True, "failed"),
        ("error", NOW, False, "starting"),
        ("initializing", None, False, "starting"),
        ("ready", None, True, "connected"),
    ],
)
def test_nobody_is_told_that_no_phone_scanned_who_saw_no_code(status: str, next_attempt: datetime | None, shown: bool, phase: str) -> None:
    """ACC-3"""
    account = row(status=AccountStatus(status), next_attempt_at=next_attempt, linked=status == "ready")
    assert phase_of(account, None, shown=shown) == phase
