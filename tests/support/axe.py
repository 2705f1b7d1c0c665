"""The rules of axe-core, asked in the browser: what people with a keyboard, a screen reader or weak eyes would stumble over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page

_SCRIPT = Path(__file__).resolve().parents[1] / "browser" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ASK = """async ([tags, rules]) => {
    const only = rules.length ? {type: "rule", values: rules} : {type: "tag", values: tags};
    // An open menu hides everything else from screen readers by itself: it is looked at alone.
    const found = await axe.run(document.querySelector("[role=menu]") ?? document, {runOnly: only, resultTypes: ["violations"]});
    return found.violations.flatMap(rule => rule.nodes.map(node => ({
        rule: rule.id, target: node.target.join(" "), html: node.html.slice(0, 220), why: node.failureSummary.slice(0, 300)})));
}"""


async def violations(page: Page, *rules: str) -> list[dict[str, Any]]:
    """What axe finds on the page as it is now; only by ``rules`` when some are named."""
    if not await page.evaluate("() => 'axe' in window"):
        assert _SCRIPT.exists(), f"{_SCRIPT} is missing: ./test installs it (npm ci in tests/browser/axe)"
        await page.evaluate(_SCRIPT.read_text("utf-8"))
    return list(await page.evaluate(_ASK, [TAGS, list(rules)]))


def told(place: str, found: list[dict[str, Any]]) -> list[str]:
    """One line for each, for the message of a failed test."""
    return [f"{place}: {item['rule']} at {item['target']}\n      {item['html']}\n      {item['why']}" for item in found]
