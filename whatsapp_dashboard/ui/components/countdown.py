"""Times that run in the browser, against the server's clock: a wrong clock at the reader's desk changes nothing."""

from __future__ import annotations

import reflex as rx
from reflex_base.utils.imports import ImportDict

_CODE = """
let waClock = {seen: "", skew: 0};
function waSync(now) {
  // Learn the difference of both clocks once per time the server told, not at each drawing of it.
  if (now && now !== waClock.seen) { waClock = {seen: now, skew: Date.parse(now) - Date.now()}; }
}
function waDuration(seconds) {
  const s = Math.max(0, Math.ceil(seconds));
  if (s >= 86400) { return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h"; }
  if (s >= 3600) { return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min"; }
  return Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
}
function waRough(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s >= 86400) { return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h"; }
  if (s >= 3600) { return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min"; }
  return s >= 60 ? Math.floor(s / 60) + " min" : s + " s";
}
function waTicks(milliseconds) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
function WaElapsed({since, now}) {
  waSync(now);
  waTicks(1000);
  const begun = new Date(since);
  return createElement("time", {dateTime: since, title: begun.toLocaleString(), className: "wa-countdown"},
    waRough((Date.now() + waClock.skew - begun.getTime()) / 1000));
}
function WaCountdown({until, since, now, ring, before, done, size}) {
  waSync(now);
  waTicks(250);
  const end = Date.parse(until);
  const left = (end - Date.now() - waClock.skew) / 1000;
  const text = left > 0 ? (before || "") + waDuration(left) : (done || "0:00");
  if (!ring) { return createElement("span", {role: "timer", className: "wa-countdown"}, text); }
  const total = Math.max(1, (end - Date.parse(since)) / 1000);
  const part = Math.min(1, Math.max(0, left / total));
  const pixels = size || 44, radius = 19, around = 2 * Math.PI * radius;
  const circle = {cx: 22, cy: 22, r: radius, fill: "none", strokeWidth: 3};
  return createElement("div", {role: "timer", "aria-label": text, style: {position: "relative", width: pixels, height: pixels}},
    createElement("svg", {viewBox: "0 0 44 44", width: pixels, height: pixels, "aria-hidden": true},
      createElement("circle", {...circle, stroke: "var(--gray-a4)"}),
      createElement("circle", {...circle, stroke: left > 5 ? "var(--accent-9)" : "var(--orange-9)", strokeLinecap: "round",
        strokeDasharray: around, strokeDashoffset: around * (1 - part), transform: "rotate(-90 22 22)",
        style: {transition: "stroke-dashoffset 250ms linear"}})),
    createElement("span", {style: {position: "absolute", inset: 0, display: "grid", placeItems: "center", fontSize: 12,
      fontVariantNumeric: "tabular-nums", color: "var(--gray-11)"}}, text));
}
"""


class _Clockwork(rx.Component):
    """What both components need in the page; a page gets it once."""

    now: rx.Var[str]

    def add_imports(self) -> ImportDict:
        """What the code uses of React."""
        return {"react": [rx.ImportVar(tag=tag) for tag in ("useState", "useEffect", "createElement")]}

    def add_custom_code(self) -> list[str]:
        """Both components."""
        return [_CODE]


class Elapsed(_Clockwork):
    """Time since ``since`` (ISO 8601)."""

    tag = "WaElapsed"

    since: rx.Var[str]


class Countdown(_Clockwork):
    """Time left until ``until``. Times are ISO 8601; ``now`` is the server's time at its last word."""

    tag = "WaCountdown"

    until: rx.Var[str]
    since: rx.Var[str]
    ring: rx.Var[bool]
    before: rx.Var[str]
    done: rx.Var[str]
    size: rx.Var[int]


def countdown(until: rx.Var[str] | str, now: rx.Var[str] | str, *, before: str = "", done: str = "now") -> rx.Component:
    """``0:17`` or ``2 h 5 min`` with the words ``before`` it, counting down to ``until``; then only the words ``done``."""
    return Countdown.create(until=until, now=now, before=before, done=done)


def countdown_ring(since: rx.Var[str] | str, until: rx.Var[str] | str, now: rx.Var[str] | str, size: int = 44) -> rx.Component:
    """A ring that empties from ``since`` to ``until``, the time left in its middle."""
    return Countdown.create(since=since, until=until, now=now, ring=True, size=size, done="0:00")


def elapsed(since: rx.Var[str] | str, now: rx.Var[str] | str) -> rx.Component:
    """``12 s``, ``5 min``, ``3 h 20 min``: how long ago ``since`` was, counting up; the exact time on hover."""
    return Elapsed.create(since=since, now=now)
