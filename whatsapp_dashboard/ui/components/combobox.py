"""A line of text with a list to choose from: typing filters, anything may be typed, arrow keys and Enter choose."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.utils.imports import ImportDict

_CODE = """
function WaCombobox({name, options, initial, placeholder, label, favourite, inputId}) {
  const [text, setText] = useState(initial || "");
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(false);  // only what was typed filters, not what stands there already
  const [at, setAt] = useState(-1);
  const input = useRef(null), list = useRef(null), begun = useRef(false);
  const words = typed ? text.toLowerCase().split(/\\s+/).filter(Boolean) : [];
  const known = (options || []).map((o) => favourite && o.value === favourite.value ? {...o, note: favourite.note} : o);
  const first = (o) => favourite && o.value === favourite.value;
  const order = [...known.filter(first), ...known.filter((o) => !first(o))];
  const hay = (o) => (o.value + " " + (o.label || "") + " " + (o.note || "")).toLowerCase().replaceAll("_", " ");
  const found = order.filter((o) => words.every((word) => hay(o).includes(word.replaceAll("_", " ")))).slice(0, 100);
  const id = useId();
  useEffect(() => {
    // Others who watch the form hear of a choice as they hear of typing.
    if (begun.current && input.current) { input.current.dispatchEvent(new Event("change", {bubbles: true})); }
    begun.current = true;
  }, [text]);
  useEffect(() => { list.current?.children[at]?.scrollIntoView({block: "nearest"}); }, [at]);
  const show = () => { if (!open) { setOpen(true); setTyped(false); setAt(-1); } };
  const pick = (o) => { setText(o.value); setOpen(false); setTyped(false); setAt(-1); };
  const onKeyDown = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) { show(); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt(found.length ? (at + step + found.length) % found.length : -1);
    } else if (event.key === "Enter" && open && found[at]) {
      event.preventDefault();
      pick(found[at]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
      setOpen(false);
    } else if (event.key === "Tab") { setOpen(false); }
  };
  const shown = open && found.length > 0;
  return createElement("div", {className: "wa-combo"},
    createElement("div", {className: "rt-TextFieldRoot rt-r-size-2 rt-variant-surface", style: {width: "100%"}},
      createElement("input", {ref: input, name, id: inputId, value: text, placeholder, "aria-label": label, role: "combobox",
        className: "rt-reset rt-TextFieldInput", autoComplete: "off", spellCheck: false, "aria-expanded": shown,
        "aria-controls": id, "aria-autocomplete": "list", "aria-activedescendant": shown && at >= 0 ? id + at : undefined,
        onChange: (event) => { setText(event.target.value); setTyped(true); setOpen(true); setAt(-1); },
        onFocus: () => {}, onClick: show, onKeyDown, onBlur: () => setOpen(false)})),
    shown && createElement("ul", {ref: list, id, role: "listbox", "aria-label": label, className: "wa-combo-list"},
      found.map((o, number) => createElement("li", {key: o.value, id: id + number, role: "option", "aria-selected": number === at,
        className: "wa-combo-option" + (number === at ? " wa-combo-at" : ""),
        onMouseDown: (event) => event.preventDefault(), onClick: (event) => { event.preventDefault(); pick(o); }},
        createElement("span", {className: "wa-combo-value"}, o.value),
        o.label ? createElement("span", {className: "wa-combo-note"}, o.label) : null,
        o.note ? createElement("span", {className: "wa-combo-note"}, o.note) : null))));
}
"""


class Combobox(rx.Component):
    """``options`` are objects with ``value``, ``label`` and ``note``; ``favourite`` (``value``, ``note``) is offered first."""

    tag = "WaCombobox"

    name: rx.Var[str]
    options: rx.Var[list[Any]]
    initial: rx.Var[str]
    placeholder: rx.Var[str]
    label: rx.Var[str]
    favourite: rx.Var[dict[str, str]]
    input_id: rx.Var[str]

    def add_imports(self) -> ImportDict:
        """What the code uses of React."""
        return {"react": [rx.ImportVar(tag=tag) for tag in ("useState", "useEffect", "useRef", "useId", "createElement")]}

    def add_custom_code(self) -> list[str]:
        """The component."""
        return [_CODE]


def combobox(name: str, options: Any, *, initial: Any = "", label: str, **props: Any) -> rx.Component:
    """An input called ``name`` in its form, with ``options`` (objects with value, label, note) below it."""
    return Combobox.create(name=name, options=options, initial=initial, label=label, **props)
