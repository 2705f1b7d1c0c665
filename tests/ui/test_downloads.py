"""What browsers download for a page, and how long they keep it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.support.server import ROOT
from tests.ui.conftest import House
from whatsapp_dashboard.ui.lean_plugin import colors_used, with_fewer_files, with_lean_css, without_all_of_radix
from whatsapp_dashboard.ui.pages import PAGES

MOST_BYTES = 400_000
"""What the first visit to a page may transfer."""
_BUILT = ROOT / ".web" / "build" / "client"
_RADIX = ROOT / ".web" / "node_modules" / "@radix-ui" / "themes" / "styles.css"
_FILE = re.compile(r'(?:href|src)="(/[\w./-]+\.(?:js|css|svg|ico))"|import (?:\w+ from )?"(/[\w./-]+\.js)"|from "(/[\w./-]+\.js)"')


def transferred(client: httpx.Client, path: str) -> int:
    """The bytes of a file as it is sent to a browser that takes brotli."""
    with client.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as answer:
        assert answer.status_code == 200, path
        return sum(len(piece) for piece in answer.iter_raw())


@pytest.mark.slow
def test_no_page_downloads_more_than_the_limit(house: House) -> None:
    """OPS-1: the page and all that it names: what it asks for later, such as the files of a dialog, is little."""
    with house.client("ana") as client:
        sizes = {}
        for page in PAGES:
            html = client.get(page.route).text
            files = sorted({name for found in _FILE.findall(html) for name in found if name})
            assert any(name.endswith(".css") for name in files), page.route
            sizes[page.route] = transferred(client, page.route) + sum(transferred(client, name) for name in files)
    print(sizes)
    assert not {route: size for route, size in sizes.items() if size > MOST_BYTES}


@pytest.mark.slow
def test_files_are_kept_as_long_as_their_names_mean_the_same(house: House) -> None:
    """OPS-1, SEC-4: for ever where the name holds a hash, asked for again where it does not."""
    script = next((_BUILT / "assets").glob("root-*.js"))
    with house.client("ana") as client:
        hashed = client.get(f"/assets/{script.name}")
        assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert client.get("/assets/root-of-another-version.js").headers["cache-control"] == "no-cache"
        for path in ("/", "/inbox", "/session.js", "/logo.svg"):
            first = client.get(path)
            assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache"), path
            again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache"), path
        assert client.get("/api/accounts").headers["cache-control"] == "no-cache"
        assert "no-store" in client.get("/api/nothing").headers["cache-control"]
    with house.client(None) as client:
        known = client.get("/inbox", headers={"If-None-Match": first.headers["etag"]}, follow_redirects=False)
        assert (known.status_code, known.headers["location"]) == (303, "/login?next=%2Finbox")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accepted", "sent"), [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None)]
)
def test_a_browser_gets_the_compression_it_takes(house: House, accepted: str, sent: str | None) -> None:
    """OPS-1: made by the build, and said in Vary, so that nothing in between gives it to one that does not take it."""
    script = next((_BUILT / "assets").glob("root-*.js"))
    with house.client("ana") as client:
        for path in ("/inbox", f"/assets/{script.name}", "/session.js"):
            with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
                assert answer.headers.get("content-encoding") == sent, path
                assert "Accept-Encoding" in answer.headers["vary"]
                if sent != "br":  # which the client of the tests does not read
                    text = answer.read().decode()
                    assert text == (_BUILT / (path.strip("/") + ("/index.html" if path == "/inbox" else ""))).read_text()


@pytest.mark.browser
def test_every_style_that_the_pages_use_is_still_there(built_pages: None) -> None:
    """OPS-1: the build leaves out styles of Radix; of a component that a page shows none may be missing."""
    styles = next((_BUILT / "assets").glob("__reflex_global_styles-*.css")).read_text()
    scripts = "\n".join(path.read_text() for path in (_BUILT / "assets").glob("*.js"))
    all_of_radix = set(re.findall(r"\.(rt-[A-Z]\w*)", _RADIX.read_text()))
    kept = set(re.findall(r"\.(rt-[A-Z]\w*)", styles))
    used = set(re.findall(r"""(?<!includes\()[`"'](rt-[A-Z]\w*)""", scripts)) & all_of_radix
    assert len(used) > 40
    assert used - kept == set()
    assert all_of_radix - kept  # or nothing is left out any more
    for color in colors_used(ROOT):
        assert re.search(rf'\[data-(accent|gray)-color="?{color}"?\]', styles), color
    assert "--bronze-9" not in styles


def test_the_steps_of_the_build_fit_the_installed_framework_and_may_be_repeated(built_pages: None) -> None:
    """OPS-1: a new version of the framework that differs is noticed here."""
    config = (ROOT / ".web" / "postcss.config.js").read_text()
    assert with_lean_css(config, colors_used(ROOT)) == config
    vite = (ROOT / ".web" / "vite.config.js").read_text()
    assert with_fewer_files(vite) == vite
    for step in (with_fewer_files, without_all_of_radix, lambda text: with_lean_css(text, [])):
        with pytest.raises(RuntimeError, match="lean_plugin"):
            step("something else")


def test_colours_are_found_in_quotes_and_as_variables(tmp_path: Path) -> None:
    """OPS-1"""
    folder = tmp_path / "whatsapp_dashboard" / "ui"
    folder.mkdir(parents=True)
    (folder / "page.py").write_text('rx.badge(color_scheme="tomato"), "a sandy beach"')
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.css").write_text(".a { color: var(--plum-a3); }")
    (tmp_path / "rxconfig.py").write_text("")
    assert colors_used(tmp_path) == ["plum", "tomato"]
