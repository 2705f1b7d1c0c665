"""Presses everything on a page twice, and knows what the compiled pages say can be pressed (MSG-13)."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, WebSocket

from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
MOST = 150
"""Presses on one page; a page with more has a loop."""
QUIET_SECONDS = 20.0
DOUBLE_MS = 500
NOT_PRESSED = ("load_older", "mark_read", "thread_state.open")
"""What pages do by themselves when something comes into sight; and links, which the list moves under the pointer and which may be followed
twice."""
TIMES = "addEventListener('pointerdown', event => { window.downs = [...(window.downs || []), event.timeStamp].slice(-2); }, true)"
_HOOK = re.compile(r"const (on_[a-z_]+?)_[0-9a-f]{32} = useCallback\((.*?)\[addEvents, ReflexEvent", re.S)
_INLINE = re.compile(r"\b(on[A-Z][A-Za-z]+):\(\(.*?\) => \(addEvents\(\[(.*?)\], (?:\[|args)", re.S)
_SUBMIT = re.compile(r"const handleSubmit\w* = useCallback\((.*?)\n\s*\}\)", re.S)
_EVENT = re.compile(r'ReflexEvent\("(reflex___state____state\.[^"]+)"')
_PRESSED = frozenset({"on_click", "onClick", "on_select", "onSelect", "on_checked_change", "onCheckedChange"})

LOOK = """([done, only]) => {
    const shown = each => each.getClientRects().length && !each.closest('[aria-hidden="true"], [hidden]')
        && getComputedStyle(each).visibility !== 'hidden';
    const LAYERS = '[role="menu"], [role="dialog"], [role="alertdialog"], [role="listbox"]';
    const PRESSED = 'button, [role="button"], [role="menuitem"], [role="switch"], [role="checkbox"], input[type="checkbox"]';
    const LEFT = '[data-repeat], [role="tab"], [role="combobox"], [data-sonner-toaster], #inbox-form';
    const layers = [...document.querySelectorAll(LAYERS)].filter(shown);
    const top = layers.at(-1) || document.body;
    const title = layers.length ? top.getAttribute('role') + ' ' + (top.querySelector('h1, h2')?.textContent || '') : '';
    const words = each => each.getAttribute('aria-label') || each.textContent || each.name || '';
    const name = each => words(each).trim().replace(/[0-9]+/g, '').slice(0, 60);
    const last = each => /^(Cancel|Close|Done|I have copied it)$/.test(name(each)) || each.closest('[data-closes]');
    const late = each => /Delete|Log out|Remove|Disable|Discard|Mark as unread|Back/.test(name(each));
    const rank = each => last(each) ? 3 : each.type === 'submit' ? 2 : late(each) ? 1 : 0;
    const found = [...top.querySelectorAll(PRESSED)]
        .filter(each => shown(each) && !each.disabled && !each.hasAttribute('data-disabled') && !each.closest(LEFT))
        .map(each => ({each, mark: [title, each.getAttribute('role') || each.tagName, name(each)].join(' | '), rank: rank(each)}))
        .filter(each => (only ? each.mark === only : !done.includes(each.mark)) && !/menuitem . Log out/.test(each.mark))
        .sort((a, b) => a.rank - b.rank);
    if (!found.length) return {layer: layers.length > 0};
    const {each, mark} = found[0];
    each.scrollIntoView({block: 'center', inline: 'center'});
    const box = each.getBoundingClientRect();
    return {layer: layers.length > 0, mark, submit: each.type === 'submit', x: box.x + box.width / 2, y: box.y + box.height / 2};
}"""
"""Finds the next thing to press in the topmost dialog or menu, or on the page; the one that logs out is pressed by another test."""


BUSY = "[...document.querySelectorAll('[data-wa-busy]')].map(each => each.outerHTML.slice(0, 300))"


def offered(page: str) -> set[str]:
    """Every event that a button, a menu entry, a switch or a form of the compiled ``page`` (a folder of ui/) can send."""
    files = (ROOT / ".web" / "app_components" / "whatsapp_dashboard" / "ui" / page).rglob("*.jsx")
    source = "\n".join(file.read_text() for file in files)
    found = {name for kind, body in [*_HOOK.findall(source), *_INLINE.findall(source)] if kind in _PRESSED for name in _EVENT.findall(body)}
    return {short(name) for name in found | {name for body in _SUBMIT.findall(source) for name in _EVENT.findall(body)}}


def short(name: str) -> str:
    """An event's name without the path of its state: ``compose_state.start``."""
    return name.rsplit("____", 1)[-1]


@dataclass
class Pressed:
    """One element that was pressed twice, and the events the server got."""

    mark: str
    events: list[tuple[str, str]] = field(default_factory=list)
    """Name and press."""
    gap: float = 0.0
    """Milliseconds between the two, as the page saw them."""

    @property
    def faults(self) -> list[str]:
        """Why this was more than one effect."""
        if self.gap > DOUBLE_MS:
            return []  # the machine was too busy to press twice: two presses then
        events = [(name, press) for name, press in self.events if not name.endswith(NOT_PRESSED)]
        presses = {press.rpartition("-")[0] for _, press in events if press}
        twice = [name for name, count in Counter(name for name, _ in events).items() if count > 1]
        return ([f"{len(presses)} presses"] if len(presses) > 1 else []) + [f"{name} twice" for name in twice]


class Presser:
    """Watches what a page sends, and presses."""

    def __init__(self, page: Page, words: dict[str, str]) -> None:
        self._page = page
        self._words = words
        self._sent: list[tuple[str, str]] = []
        self.pressed: list[Pressed] = []
        page.on("websocket", self._watch)

    @property
    def events(self) -> set[str]:
        """The events that came of presses."""
        return {name for one in self.pressed for name, press in one.events if press}

    async def everything(self, address: str) -> None:
        """Press each element of the page once twice, also in dialogs and menus that open."""
        await self._page.add_init_script(TIMES)
        done: list[str] = []
        left = ""
        await self._open(address)
        while len(self.pressed) < MOST:
            found: dict[str, Any] = await self._page.evaluate(LOOK, [done, ""])
            if "mark" in found:
                done.append(found["mark"])
                await self._press(found)
            elif found["layer"]:
                await self._page.keyboard.press("Escape")
                await self.quiet()
                if (await self._page.evaluate(LOOK, [done, ""]))["layer"]:
                    await self._open(address)
            elif left != self._page.url and not self._page.url.endswith(address):
                left = self._page.url  # what was pressed last closed what the address opens
                await self._open(address)
            else:
                return
            if self._path() != address.partition("?")[0]:
                await self._open(address)
        raise AssertionError(f"{MOST} presses and no end: {done[-5:]}")

    async def quiet(self) -> None:
        """Wait until nothing that was pressed is without an answer."""
        await until(lambda: self._page.evaluate(BUSY), [].__eq__, seconds=QUIET_SECONDS)
        await self._page.wait_for_timeout(40)

    async def _press(self, found: dict[str, Any]) -> None:
        if found["submit"]:
            await self._fill()
            found = await self._page.evaluate(LOOK, [[], found["mark"]])
            if "mark" not in found:
                return
        self._sent.clear()
        await self._page.mouse.dblclick(found["x"], found["y"])
        try:
            await self.quiet()
        except AssertionError as error:
            raise AssertionError(f"{found['mark']} sent {self._sent} and stays busy") from error
        gap = await self._page.evaluate("(window.downs || [0, 0]).reduce((before, after) => after - before)")
        self.pressed.append(Pressed(found["mark"], list(self._sent), float(gap)))

    async def _fill(self) -> None:
        """Put something into what is empty."""
        fields = self._page.locator('[role="dialog"] :is(input, textarea), main form:not(#inbox-form) :is(input, textarea)')
        for index in range(await fields.count()):
            one = fields.nth(index)
            with contextlib.suppress(PlaywrightError):  # the page may draw the form anew meanwhile
                kind, name = await one.get_attribute("type", timeout=2_000) or "text", await one.get_attribute("name", timeout=2_000) or ""
                if kind in ("hidden", "checkbox", "radio", "file") or not await one.is_visible() or await one.input_value(timeout=2_000):
                    continue
                await one.fill(self._words.get(name) or self._words.get(kind) or "5", timeout=2_000)

    async def _open(self, address: str) -> None:
        await self._page.goto(address)
        await self._page.locator("#wa-line[data-operator]:not([data-operator=''])").wait_for(state="attached")
        await self._page.wait_for_timeout(400)

    def _path(self) -> str:
        return "/" + self._page.url.split("://", 1)[1].partition("/")[2].partition("?")[0].rstrip("/")

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self._note(frame if isinstance(frame, str) else frame.decode()))

    def _note(self, frame: str) -> None:
        if not frame.startswith("42/_event,"):
            return
        kind, event = json.loads(frame[len("42/_event,") :])[:2]
        if kind == "event" and ".on_load_internal" not in event["name"] and "hydrate" not in event["name"]:
            self._sent.append((short(event["name"]), str(event.get("router_data", {}).get("press", ""))))
