"""The pages of the dashboard and how each is reached.

A page module describes itself with one `Page`; `PAGES` in ui/pages.py lists the modules. The sidebar, the router and the
test that looks for forgotten pages read that same list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from whatsapp_dashboard.domain.principal import Role


@dataclass(frozen=True)
class Page:
    """One page: its address, its place in the sidebar and what it shows."""

    route: str
    title: str
    icon: str
    """Name of a lucide icon."""
    content: Callable[[], rx.Component]
    on_load: Sequence[Any] = field(default_factory=tuple)
    """Events when the page opens, after the shell knew who is there."""
    section: str = ""
    """Sidebar group heading; empty is the first, unnamed group."""
    min_role: Role = Role.VIEWER
    visible_when: Callable[[], rx.Var[bool]] | None = None
    """Extra condition for the sidebar entry, as a state var of type bool."""
    in_sidebar: bool = True
    badge: Callable[[], rx.Component] | None = None
    """What stands at the end of the sidebar entry."""
    wide: bool = False
    """True for pages that fill the window without padding, such as an inbox."""
