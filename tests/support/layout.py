"""Questions about where things stand on a page, asked in the browser."""

from __future__ import annotations

from playwright.async_api import Page

_PRESSABLE = "button, a[href], input:not([type=hidden]), textarea, select, summary, [role=button], [role=combobox], [role=switch]"

_NAMED = """const named = element =>
    `${element.tagName} "${(element.getAttribute("aria-label") || element.textContent || element.id).trim().slice(0, 40)}"`;"""
_CUT_OFF = (
    "() => {"
    + _NAMED
    + """
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
    for (const element of document.querySelectorAll('"""
    + _PRESSABLE
    + """')) {
        if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        const box = element.getBoundingClientRect();
        if (box.width < 3 || box.height < 3 || element.closest(".wa-skip, .wa-visually-hidden")) continue;
        let left = 0, right = innerWidth;
        for (let above = element.parentElement; above; above = above.parentElement) {
            const style = getComputedStyle(above);
            if (style.overflowX === "visible") continue;
            if (/auto|scroll/.test(style.overflowX) && above.scrollWidth > above.clientWidth) { left = -Infinity; right = Infinity; break; }
            const edge = above.getBoundingClientRect();
            left = Math.max(left, edge.left); right = Math.min(right, edge.right);
        }
        if (box.left < left - 1 || box.right > right + 1) found.push(`${named(element)} ${box.left}-${box.right}`);
    }
    return found;
}"""
)
_COVERED = (
    "() => {"
    + _NAMED
    + """
    const found = [], inside = "[data-sonner-toaster]";
    for (const element of document.querySelectorAll('"""
    + _PRESSABLE
    + """')) {
        if (element.closest(inside) || !element.checkVisibility({visibilityProperty: true})) continue;
        const box = element.getBoundingClientRect();
        for (const [x, y] of [[.5, .5], [.08, .15], [.92, .15], [.08, .85], [.92, .85]]) {
            const hit = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
            if (hit?.closest(inside)) {
                found.push(named(element));
                break;
            }
        }
    }
    return found;
}"""
)


async def cut_off(page: Page) -> list[str]:
    """What makes the page wider than the window, and what may be pressed but cannot be reached because it stands outside of it."""
    return list(await page.evaluate(_CUT_OFF))


async def covered_by_toasts(page: Page) -> list[str]:
    """What may be pressed or written into, and has a toast above it."""
    return list(await page.evaluate(_COVERED))
