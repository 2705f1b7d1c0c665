// A press acts once. The pressed button or form is busy at once and until the server has answered; a second press on it, or at the same
// spot within a moment (whatever stands there by then), does nothing. Each press has a name that travels with its event, so that what is
// sent anew after a broken connection is known to the server. Typing, tabs, sliders, links and what says data-repeat are left alone.
(() => {
  const PRESSABLE = 'button, [role="button"], [role="menuitem"], [role="switch"], [role="checkbox"], input[type="checkbox"], input[type="submit"], summary';
  const FREE = '[data-repeat], [role="tab"], [role="slider"], [role="option"], [role="combobox"], #inbox-form';
  const AGAIN_MS = 150;      // two presses this close are one
  const DOUBLE_MS = 600;     // and as long as the operating system calls them a double click
  const ITS_MS = 80;         // what is sent this soon after a press is what it was for
  const LONGEST_MS = 60_000; // an answer that takes longer frees the button
  const LOST_MS = 600_000;   // so long an unanswered event keeps its name
  const NEAR = 12;           // CSS pixels
  const presses = new Map(); // name of an event -> its press
  const names = new WeakMap();
  let last = null, scripted = null, current = null, point = null, swallowing = false;
  const page = crypto.getRandomValues(new Uint32Array(4)).join("-");
  let counter = 0;

  const pressable = (target) => {
    const found = target.closest?.(PRESSABLE);
    return found && !found.closest(FREE) ? found : null;
  };
  // What a press is of: a form for the button that submits it, so that Enter and a click are the same.
  const subject = (element) => (element.type === "submit" && element.form && !element.form.matches(FREE) ? element.form : element);
  const busy = (element) => !!element && element.hasAttribute("data-wa-busy");

  function begin(element, event) {
    current = { id: `${page}-${++counter}`, element, shown: event.submitter || (element.matches("form") ? element.querySelector('[type="submit"]') : element),
      at: performance.now(), events: 0, open: new Set(), closes: !!element.closest("[data-closes]") };
    if (event.isTrusted) last = { element, at: current.at, point };
    else scripted = { element, at: current.at };
  }
  const close = (event) => !!last?.point && Math.hypot(event.clientX - last.point.x, event.clientY - last.point.y) < NEAR;
  function again(element, event) {
    if (!event.isTrusted) return scripted?.element === element && performance.now() - scripted.at < AGAIN_MS;
    if (!last) return false;
    const since = performance.now() - last.at;
    const near = event.detail > 0 && close(event);
    return (since < AGAIN_MS && (last.element === element || near)) || (event.detail > 1 && near && since < DOUBLE_MS);
  }
  function stop(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // ---- mouse and finger: the whole second press, from its beginning on, for menus open when it goes down
  window.addEventListener("pointerdown", (event) => {
    swallowing = false;
    if (!event.isTrusted) return;
    const element = pressable(event.target);
    swallowing = close(event) && performance.now() - last.at < AGAIN_MS && !event.target.closest?.(FREE + ", input, textarea, select, a[href]");
    if (element && busy(subject(element))) swallowing = true;
    if (swallowing) stop(event);
    else point = { x: event.clientX, y: event.clientY };
  }, true);
  window.addEventListener("mousedown", (event) => {
    if (!event.isTrusted) return;
    // A double click would also select the words around it.
    if (event.detail > 1 && close(event) && performance.now() - last.at < DOUBLE_MS && !event.target.closest?.(FREE + ", input, textarea, select, a[href]")) swallowing = true;
    if (swallowing) stop(event);
  }, true);
  for (const kind of ["pointerup", "mouseup"]) {
    window.addEventListener(kind, (event) => { if (swallowing && event.isTrusted) stop(event); }, true);
  }
  window.addEventListener("click", (event) => {
    if (swallowing && event.isTrusted && event.detail > 0) { swallowing = false; stop(event); return; }
    const element = pressable(event.target);
    // A script clicks the hidden box behind a switch, so that the form around it learns of it: that is no press.
    if (!element || element.disabled || (!event.isTrusted && element.matches("input"))) return;
    const about = subject(element);
    // Pressing Enter in a field clicks the form's button: what counts then is the form being sent, below.
    if (about !== element) { if (busy(about)) stop(event); return; }
    if (busy(element) || again(element, event)) { stop(event); return; }
    begin(element, event);
  }, true);
  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(FREE)) return;
    if (busy(form) || (last && last.element === form && performance.now() - last.at < AGAIN_MS)) { stop(event); return; }
    const click = current && current.element.form === form && performance.now() - current.at < ITS_MS ? current : null;
    begin(form, event);
    if (click) Object.assign(current, { id: click.id, events: click.events });  // a button that says what to do, then sends its form: one press
  }, true);

  // ---- keys: one that is held down presses once, and so do two strokes of Enter that follow each other at once
  let stroke = 0;
  window.addEventListener("keydown", (event) => {
    point = null;
    if (event.key !== "Enter" && event.key !== " ") { stroke = 0; return; }
    if (event.target.closest?.("textarea, [contenteditable], #inbox-form")) return;
    const pressing = pressable(event.target) || (event.key === "Enter" && event.target.matches?.("input"));
    if (!pressing) return;
    if (event.repeat || (stroke && performance.now() - stroke < AGAIN_MS)) { stop(event); return; }
    stroke = performance.now();
  }, true);

  // Who typed in between means it.
  window.addEventListener("input", () => { last = null; stroke = 0; }, true);

  // ---- events: which press they belong to, and when it is through
  const lost = () => { try { return JSON.parse(sessionStorage.getItem("wa.lost")) || []; } catch { return []; } };
  // Two numbers made of what an event says: the words themselves, and passwords in any form, are not kept.
  function digest(event, press) {
    if (press.element.querySelector?.('[type="password"]')) return "";
    let one = 0xdeadbeef, two = 0x41c6ce57;
    for (const sign of event.name + JSON.stringify(event.payload ?? null)) {
      const code = sign.codePointAt(0);
      one = Math.imul(one ^ code, 2654435761);
      two = Math.imul(two ^ code, 1597334677);
    }
    return (one >>> 0) + "-" + (two >>> 0);
  }
  function keep(list) { try { sessionStorage.setItem("wa.lost", JSON.stringify(list.slice(-20))); } catch { /* a full storage keeps no names */ } }

  // Called by Reflex for each event before it waits in its queue; false drops it.
  function admits(event) {
    const press = current;
    if (!event.name?.includes(".whatsapp_dashboard___") || !press || performance.now() - press.at > ITS_MS) return true;
    if (window.waLine?.away && !press.closes) { window.waLine.refused(); return false; }
    const said = digest(event, press), before = said && lost().find((each) => each.said === said && Date.now() - each.at < LOST_MS);
    const name = before?.name || `${press.id}-${press.events++}`;
    if (before) keep(lost().filter((each) => each.name !== name));
    names.set(event, name);
    press.open.add(name);
    presses.set(name, { press, said });
    show(press);
    setTimeout(() => answered(name), LONGEST_MS);
    return true;
  }
  function sent(event) {
    event.router_data.page = page;
    const name = names.get(event);
    if (name) event.router_data.press = name;
  }
  function show(press) {
    for (const element of new Set([press.element, press.shown])) {
      if (!element) continue;
      element.setAttribute("data-wa-busy", "");
      element.setAttribute("aria-busy", "true");
    }
  }
  function free(press) {
    for (const element of [press.element, press.shown]) { element?.removeAttribute("data-wa-busy"); element?.removeAttribute("aria-busy"); }
  }
  function answered(name) {
    const found = presses.get(name);
    if (!found) return;
    presses.delete(name);
    found.press.open.delete(name);
    if (!found.press.open.size) free(found.press);
  }
  // Nobody knows what became of events on a line that broke: the same press again carries the same name.
  window.addEventListener("wa-line", () => {
    if (!window.waLine.away) return;
    keep([...lost(), ...[...presses].filter(([, { said }]) => said).map(([name, { said }]) => ({ name, said, at: Date.now() }))]);
    for (const name of [...presses.keys()]) answered(name);
  });
  window.waOnce = { admits, sent, answered };
})();
