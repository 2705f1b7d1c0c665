"""Build steps that keep small what a browser downloads: styles no page can use are left out (lean_css.mjs), Radix Themes comes without the
components no page shows, and shared parts come in few files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from reflex_base.plugins import Plugin

_SCRIPT = "lean_css.mjs"
_CONFIG = "postcss.config.js"
_BEFORE = '"postcss-import": {},'
_ROOT = "app/root.jsx"
_ALL_OF_RADIX = '"@radix-ui/themes": () => import("@radix-ui/themes"),'
_VITE = "vite.config.js"
_GROUPS = "groups: ["
_TOGETHER = (
    '{ test: /node_modules\\/lucide-react/, name: "icons" }, '
    # Those that few pages load stay by themselves.
    '{ test: /node_modules\\/(?!moment|react-moment|react-helmet|react-debounce-input)/, name: "parts" },'
)
_SCALES = {
    *("gray", "mauve", "slate", "sage", "olive", "sand", "amber", "blue", "bronze", "brown", "crimson", "cyan", "gold", "grass", "green"),
    *("indigo", "iris", "jade", "lime", "mint", "orange", "pink", "plum", "purple", "red", "ruby", "sky", "teal", "tomato"),
    *("violet", "yellow"),
}
_NAMED = re.compile(r"""["']([a-z]+)["']|var\(--([a-z]+)-""")


def colors_used(root: Path) -> list[str]:
    """Radix' colours that the sources of the pages name, in quotes or as a variable: also those the server chooses while a page runs."""
    found = {name for path in _sources(root) for names in _NAMED.findall(path.read_text("utf-8")) for name in names}
    return sorted(found & _SCALES)


def _sources(root: Path) -> Sequence[Path]:
    pages = (path for path in (root / "whatsapp_dashboard" / "ui").rglob("*.py") if path.name != Path(__file__).name)
    return [*pages, *(root / "assets").glob("*.*s"), root / "rxconfig.py"]


def with_lean_css(config: str, colors: Sequence[str]) -> str:
    """Reflex' configuration of postcss with our step in it. Raises RuntimeError when Reflex' own changed."""
    config = re.sub(rf'\n *"\./{re.escape(_SCRIPT)}": .*', "", config)
    entry = f'    "./{_SCRIPT}": {json.dumps({"colors": list(colors)})},'
    return _replaced(config, _CONFIG, _BEFORE, f"{_BEFORE}\n{entry}")


def without_all_of_radix(root: str) -> str:
    """Reflex' root of all pages without the loader of every component, for pages that get components in their data: ours get none."""
    return _replaced(root, _ROOT, _ALL_OF_RADIX, "")


def with_fewer_files(config: str) -> str:
    """Reflex' configuration of the bundler, which else makes a file, and a request, of every icon and part that two pages share."""
    return config if _TOGETHER in config else _replaced(config, _VITE, _GROUPS, f"{_GROUPS}\n            {_TOGETHER}")


def _replaced(text: str, name: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise RuntimeError(f"Reflex's {name} no longer contains {old!r}; adapt {__name__}")
    return text.replace(old, new)


class LeanPlugin(Plugin):
    """Brings these steps into the build."""

    def get_static_assets(self, **_context: Any) -> Sequence[tuple[Path, str | bytes]]:
        """The script."""
        return [(Path(_SCRIPT), (files("whatsapp_dashboard.ui") / _SCRIPT).read_text("utf-8"))]

    def pre_compile(self, **context: Any) -> None:
        """Ask the compiler to pass its files through the functions above."""
        modify = context["add_modify_task"]
        modify(_CONFIG, lambda config: with_lean_css(config, colors_used(Path.cwd())))
        modify(_ROOT, without_all_of_radix)
        modify(_VITE, with_fewer_files)
