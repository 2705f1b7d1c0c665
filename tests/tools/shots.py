"""Screenshots of pages, in both sizes and both colour modes.

    python -m tests.tools.shots / /accounts [--url http://127.0.0.1:8000 --user admin --password ...]

Without ``--url`` it starts a dashboard of its own. Pictures go to tests/artifacts/.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.server import OWNER, OWNER_PASSWORD, ROOT, Server
from whatsapp_dashboard.ui.build import ensure_built

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
CHROMIUM = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
ARTIFACTS = ROOT / "tests" / "artifacts"


def shoot(browser: Browser, url: str, user: str, password: str, paths: list[str]) -> None:
    """Log in once per size and mode and save one picture per path; prints what the browser complained about."""
    ARTIFACTS.mkdir(exist_ok=True)
    for size, (width, height) in SIZES.items():
        for mode in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=mode)  # type: ignore[arg-type]
            page = context.new_page()
            page.on("console", lambda m: print("console:", m.text[:300]) if m.type == "error" else None)
            page.on("pageerror", lambda error: print("page error:", str(error)[:300]))
            page.goto(url + "/login")
            page.screenshot(path=ARTIFACTS / f"login-{size}-{mode}.png")
            page.fill("#username", user)
            page.fill("#password", password)
            page.click("#submit")
            page.wait_for_url(url + "/")
            for path in paths:
                page.goto(url + path)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(900)
                name = path.strip("/").replace("/", "-") or "home"
                page.screenshot(path=ARTIFACTS / f"{name}-{size}-{mode}.png")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0:
                    print(f"{path} at {size}: {wide} px wider than the window")
            context.close()


@contextlib.contextmanager
def _dashboard(arguments: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    if arguments.url:
        yield arguments.url.rstrip("/"), arguments.user, arguments.password
        return
    ensure_built(ROOT, say=print)
    with tempfile.TemporaryDirectory() as folder:
        own = Server(Path(folder) / "data")
        own.start()
        try:
            yield own.url, OWNER, OWNER_PASSWORD
        finally:
            own.close()


def main() -> None:
    """Read the command line and shoot."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--url", default="")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="")
    arguments = parser.parse_args()
    with _dashboard(arguments) as (url, user, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        shoot(browser, url, user, password, arguments.paths)
        browser.close()


if __name__ == "__main__":
    main()
