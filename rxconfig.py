"""Reflex's own settings: everything of ours is in whatsapp_dashboard/config.py."""

import os

import reflex as rx

from whatsapp_dashboard.ui.build_plugin import SameOriginPlugin
from whatsapp_dashboard.ui.lean_plugin import LeanPlugin
from whatsapp_dashboard.ui.theme import radix_theme

# Reflex finds Node through PATH; npm is its package manager because bun would be fetched from outside the registries.
os.environ.setdefault("REFLEX_USE_NPM", "true")

config = rx.Config(
    app_name="whatsapp_dashboard",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    state_manager_mode="memory",
    # Nothing is called from another origin: the guard compares origins itself, and this list only closes Reflex's "*".
    cors_allowed_origins=["http://localhost:8000"],
    default_color_mode="system",
    # Made once, by the build; the first one that a browser takes is sent.
    frontend_compression_formats=["brotli", "gzip"],
    # Pages get no components in their data; what would be needed for that is not loaded.
    frontend_lazy_bundled_libraries=True,
    plugins=[SameOriginPlugin(), LeanPlugin(), rx.plugins.RadixThemesPlugin(theme=radix_theme())],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
