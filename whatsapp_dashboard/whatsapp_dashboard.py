"""The app: pages, API, guard and runtime put together."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.app import build_pages

app = rx.App(stylesheets=["/app.css"])
build_pages(app)
