// What the Chatbot page needs at once in the browser: what is not saved, variables into the prompt, dragging providers.
// Everything that changes data goes through the page's own buttons and its form.
(() => {
  if (window.waChatbot) return;
  const page = () => document.getElementById("chatbot");
  const form = () => document.getElementById("ai-settings");
  const press = (selector) => { const found = document.querySelector(selector); if (found) found.click(); return !!found; };
  let edition = "", saved = "";

  // ---- what is not saved
  const written = () => JSON.stringify([...new FormData(form()).entries()]);
  function settle() {  // the inputs were set anew: this is what is saved
    edition = form().dataset.edition;
    saved = written();
    check();
  }
  function check() {
    if (!form()) return;
    const dirty = form().dataset.edition === edition && !form().querySelector("fieldset")?.disabled && written() !== saved;
    page().dataset.dirty = dirty ? "yes" : "no";
    for (const output of form().querySelectorAll("[data-shows]")) {
      const source = form().elements[output.dataset.shows];
      if (source) output.textContent = output.dataset.count ? source.value.length.toLocaleString("en") : Number(source.value).toFixed(1);
    }
    const newer = document.querySelector('[data-auto="newest"]:not([data-done])');
    if (newer && !dirty) { newer.dataset.done = "yes"; newer.click(); }
  }
  const dirty = () => page()?.dataset.dirty === "yes";
  window.waChatbot = { dirty, check, target: "" };

  function ask(address) {
    window.waChatbot.target = address;
    press('[data-auto="leave"]');
  }
  window.addEventListener("beforeunload", (event) => { if (dirty()) event.preventDefault(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !dirty() || link.target === "_blank" || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const to = new URL(link.href, location.href);
    if (to.origin !== location.origin || (to.pathname === location.pathname && to.hash)) return;
    event.preventDefault();
    event.stopPropagation();
    ask(to.pathname + to.search);
  }, true);
  // The browser's back and forward: go back to where the page was, then ask.
  let place = history.state?.idx ?? 0, ignore = 0;
  window.waBeforeBack = (event) => {  // assets/session.js calls it before the router hears of it
    const to = event.state?.idx ?? 0, by = to - place;
    if (ignore) { ignore -= 1; event.stopImmediatePropagation(); return; }
    if (!dirty() || !by) { place = to; return; }
    const address = location.pathname + location.search;
    event.stopImmediatePropagation();
    ignore += 1;
    history.go(-by);
    ask(address);
  };

  for (const kind of ["input", "change", "click"]) {
    document.addEventListener(kind, (event) => { if (form()?.contains(event.target)) setTimeout(check, 0); });
  }

  // ---- variables and the default text into the prompt, Monday's hours into all days
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-insert], [data-restore], [data-copy-hours]");
    if (!button || !form()) return;
    if (button.dataset.copyHours) {
      for (const part of ["begins", "ends"]) {
        const value = form().elements["day0-" + part].value;
        for (let day = 1; day < 7; day++) form().elements[`day${day}-${part}`].value = value;
      }
    } else {
      const field = form().elements.prompt;
      field.focus();
      if (button.dataset.restore) field.value = button.dataset.restore;
      else field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    }
    check();
  });

  // ---- dragging a provider by its handle
  let drag = null;
  const cards = () => [...document.querySelectorAll("[data-provider]")];
  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest?.("[data-drag]");
    if (!handle || event.button || drag) return;
    const all = cards(), card = handle.closest("[data-provider]"), from = all.indexOf(card);
    if (all.length < 2 || from < 0) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const boxes = all.map((each) => each.getBoundingClientRect());
    drag = { handle, card, all, boxes, from, to: from, y: event.pageY, gap: boxes[1].top - boxes[0].bottom };
    card.classList.add("wa-dragged");
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const { all, boxes, from, card, gap } = drag, by = event.pageY - drag.y;
    const middle = boxes[from].top + boxes[from].height / 2 + by;
    drag.to = boxes.reduce((to, box, at) => at < from && middle < box.top + box.height / 2 ? Math.min(to, at)
      : at > from && middle > box.top + box.height / 2 ? Math.max(to, at) : to, from);
    const shift = boxes[from].height + gap;
    all.forEach((each, at) => {
      const moved = at > from && at <= drag.to ? -shift : at < from && at >= drag.to ? shift : 0;
      each.style.transform = each === card ? `translateY(${by}px)` : moved ? `translateY(${moved}px)` : "";
    });
  });
  function release(put) {
    if (!drag) return;
    const { all, card, from, to } = drag;
    drag = null;
    const clean = () => { card.classList.remove("wa-dragged"); for (const each of all) each.style.transform = ""; };
    if (!put || to === from) { clean(); return; }
    window.waChatbot.moved = card.dataset.provider;
    window.waChatbot.to = to;
    const list = card.parentElement;
    const seen = new MutationObserver(() => { seen.disconnect(); clean(); });
    seen.observe(list, { childList: true });
    setTimeout(() => { seen.disconnect(); clean(); }, 1500);
    press('[data-auto="drop"]');
  }
  document.addEventListener("pointerup", () => release(true));
  document.addEventListener("pointercancel", () => release(false));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) { event.preventDefault(); release(false); } });

  // ---- a button that moves its card away from under the focus keeps it
  let focused = null;
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-move]");
    if (button) focused = { id: button.closest("[data-provider]").dataset.provider, way: button.dataset.move, until: Date.now() + 3000 };
  });

  // ---- what follows from the page having changed
  let waiting = false;
  function look() {
    waiting = false;
    if (!ignore) place = history.state?.idx ?? place;
    if (form() && form().dataset.edition !== edition) settle();
    else check();
    if (focused && Date.now() < focused.until && (document.activeElement === document.body || document.activeElement?.disabled)) {
      const card = document.querySelector(`[data-provider="${focused.id}"]`);
      (card?.querySelector(`[data-move="${focused.way}"]:not(:disabled)`) || card?.querySelector("[data-move]:not(:disabled)"))?.focus();
    }
    const talk = document.getElementById("try-lines");
    if (talk && talk.dataset.length !== talk.dataset.seen) { talk.dataset.seen = talk.dataset.length; talk.scrollTop = talk.scrollHeight; }
  }
  function soon() { if (!waiting && page()) { waiting = true; requestAnimationFrame(look); } }
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-edition", "data-length", "disabled"] });
  soon();
})();
