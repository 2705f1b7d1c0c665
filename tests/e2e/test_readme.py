"""The README works as printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.server import OWNER_PASSWORD, ROOT, Server


def test_the_curl_tour_works_as_printed(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """API-3, ACC-3, MSG-6: the five lines, exactly as they stand in the README, against a real server."""
    server = new_server(DASHBOARD_USERNAME="admin")
    server.start()
    tour = re.search(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tour is not None
    lines = tour[1].strip().splitlines()
    assert len(lines) == 5
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", tour[1]],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "DASHBOARD_PORT": str(server.port), "DASHBOARD_PASSWORD": OWNER_PASSWORD},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "qr.png").read_bytes().startswith(b"\x89PNG")
    answers = _objects(done.stdout)
    assert [answer.get("status") for answer in answers[1:2]] == ["queued"]
    assert [item["text"] for item in answers[-1]["items"]] == ["Hello"]


def _objects(text: str) -> list[dict[str, object]]:
    """The JSON objects that stand one behind the other in ``text``."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        item, end = decoder.raw_decode(text, at)
        found.append(item)
        at = end
        while at < len(text) and text[at].isspace():
            at += 1
    return found
