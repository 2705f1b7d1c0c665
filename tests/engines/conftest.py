"""Every conformance test runs once per engine (ENG-6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.harness import Harness, Rig, SandboxHarness
from tests.engines.multidevice_harness import MultideviceHarness
from tests.peer.stage import Stage

HARNESSES: dict[str, Callable[[], Harness]] = {"multidevice": MultideviceHarness, "sandbox": SandboxHarness}


@pytest.fixture(scope="session", autouse=True)
def closed_at_last() -> Iterator[None]:
    """Whatever was opened for many tests ends with the last one."""
    yield
    Stage.close()


@pytest.fixture
def stage() -> Stage:
    """The peer, and Carla and Dev with real phones."""
    return Stage.get()


# The sandbox's run is quick enough for the inner loop.
@pytest.fixture(params=[pytest.param(name, marks=[] if name == "sandbox" else pytest.mark.slow) for name in sorted(HARNESSES)])
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
