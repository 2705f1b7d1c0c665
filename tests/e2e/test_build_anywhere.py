"""The real build on a machine that has nothing of ours: the checkout stays clean, nothing is built twice, and Node.js may go (OPS-1)."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from tests.support.server import ROOT, Server
from whatsapp_dashboard.ui import build

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

REGISTRY = "https://registry.npmjs.org"
CHECK = (
    "import sys; from pathlib import Path; from whatsapp_dashboard.ui.build import ensure_built; "
    "sys.exit(10 + ensure_built(Path.cwd(), say=print))"
)


@pytest.fixture
async def registry() -> AsyncIterator[str]:
    """Another host that has the packages of npm's registry, as companies run them."""

    async def get(request: web.Request) -> web.Response:
        accept = {"Accept": request.headers.get("Accept", "*/*")}
        answer = await client.get(f"{REGISTRY}{request.raw_path}", headers=accept)
        kind = answer.headers.get("content-type", "application/octet-stream")
        return web.Response(status=answer.status_code, body=answer.content, headers={"Content-Type": kind})

    app = web.Application()
    app.router.add_get("/{path:.*}", get)
    runner = web.AppRunner(app, access_log=None)
    async with httpx.AsyncClient(timeout=60, follow_redirects=True) as client:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await runner.cleanup()


@pytest.fixture
def checkout(tmp_path: Path, built_pages: None) -> Path:
    """A fresh checkout of this version, with the packages that would be downloaded."""
    made = tmp_path / "checkout"
    for name in ("whatsapp_dashboard", "assets", "reflex.lock", "alembic"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__", "external"))
    for name in ("rxconfig.py", "requirements.txt", "pyproject.toml", "alembic.ini", ".gitignore"):
        shutil.copy(ROOT / name, made / name)
    shutil.copytree(ROOT / ".web" / "node_modules", made / ".web" / "node_modules", symlinks=True)
    git(made, "init", "-q")
    git(made, "add", "-A")
    git(made, "-c", "user.name=Ana", "-c", "user.email=ana@example.org", "commit", "-qm", "as it is")
    return made


def git(folder: Path, *arguments: str) -> str:
    """What git says; nothing of this machine's settings counts."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


async def checked(checkout: Path, env: Mapping[str, str]) -> tuple[bool, str]:
    """Build if needed: whether it was, and what was said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHECK, cwd=checkout, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode in (10, 11), said
    return process.returncode == 11, said


async def test_a_build_with_an_empty_home_leaves_the_checkout_clean_and_is_served_without_node(
    checkout: Path, registry: str, tmp_path: Path
) -> None:
    """OPS-1: with a home that has only an npmrc which wants the addresses of packages in the lock file, and another registry."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".npmrc").write_text("omit-lockfile-registry-resolved=false\nsave-exact=true\nomit=dev\n")
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR") or "CERT" in name or "CA_" in name}
    env = {**kept, "HOME": str(home), "NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED": "false", "NPM_CONFIG_REGISTRY": registry}
    built, said = await checked(checkout, env)
    assert built, said
    assert git(checkout, "status", "--porcelain") == ""
    other = {**kept, "HOME": str(tmp_path / "nowhere"), "npm_config_omit_lockfile_registry_resolved": "true"}
    assert await checked(checkout, other) == (False, ""), "the next start, of another user, builds nothing"
    await asyncio.to_thread(serves_without_node, checkout, tmp_path)
    assert git(checkout, "status", "--porcelain") == ""


def serves_without_node(checkout: Path, folder: Path) -> None:
    """Start the dashboard of this checkout by a Python that has no Node beside it, and ask for a page."""
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    server = Server(folder / "data", env={"PATH": str(python.parent), "PYTHONPATH": sysconfig.get_path("purelib")})

    def start(module: str, *_arguments: str, log: Path, env: Mapping[str, str] | None = None, files: int = 0) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [str(python), "-m", module], cwd=checkout, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    server._launch = start
    try:
        server.start()
        assert build.NODE_NOT_NEEDED in server.log
        page = httpx.get(server.url + "/login")
        assert (page.status_code, "<html" in page.text.lower()) == (200, True)
        server.terminate()
        (checkout / "assets" / "new.svg").write_text("<svg/>")
        server.start(wait=False)
        assert server.wait_end() == 2
        assert build.NO_NODE in server.log
        (checkout / "assets" / "new.svg").unlink()
    finally:
        server.close()
