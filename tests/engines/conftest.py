"""Every conformance test runs once per engine (ENG-6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engines.harness import HARNESSES, Harness, Rig


@pytest.fixture(params=sorted(HARNESSES))
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    """The surroundings of one engine, up and running."""
    surroundings = HARNESSES[request.param]()
    await surroundings.open()
    yield surroundings
    await surroundings.close()


@pytest.fixture
async def rig(harness: Harness, tmp_path: Path) -> AsyncIterator[Rig]:
    """An account that is not linked yet."""
    account = Rig(harness, tmp_path)
    yield account
    if account._engine is not None:
        await account._engine.stop()


@pytest.fixture
async def linked(rig: Rig) -> Rig:
    """An account that is linked and connected."""
    await rig.link()
    return rig
