// When the server closes a page's socket, find out whether the session has ended; if so, go to the login page. When it never let the
// socket in, find out whether it knows itself by another name than the one in the address bar: then it says what to set.
(() => {
  const Native = window.WebSocket;
  let asking = false;
  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/api/auth/user", { cache: "no-store" });
      if (answer.status === 401) {
        window.waOutbox?.forgetDrafts();
        location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
      }
    } catch {
      // The server is away, which the page shows by itself.
    } finally {
      asking = false;
    }
  }
  window.waSession = ask;
  async function askName() {
    const place = "/wrong-address?from=" + encodeURIComponent(location.origin);
    try {
      if ((await fetch(place, { redirect: "manual" })).status === 421) location.replace(place);
    } catch {
      // As above.
    }
  }
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      const line = window.waLine;
      let opened = false;
      line?.sockets.add(this);
      this.addEventListener("open", () => { opened = true; });
      this.addEventListener("message", () => { if (line) line.heard = performance.now(); });
      this.addEventListener("close", () => { line?.sockets.delete(this); if (!opened) askName(); setTimeout(ask, 150); });
    }
  };
})();

// A page with unsaved changes has a say before the browser's back and forward: this script runs before the router listens.
window.addEventListener("popstate", (event) => window.waBeforeBack?.(event));

// A dialog that closes gives the focus back to what had it before, also where a menu entry or a key opened it.
(() => {
  const passing = '[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]';
  let before = null;
  document.addEventListener("focusin", (event) => { if (!event.target.closest?.(passing)) before = event.target; });
  new MutationObserver((changes) => {
    const closed = changes.some((change) => [...change.removedNodes].some((node) => node.nodeType === 1
      && (node.matches('[role="dialog"], [role="alertdialog"]') || node.querySelector('[role="dialog"], [role="alertdialog"]'))));
    if (!closed) return;
    setTimeout(() => {
      if (document.activeElement === document.body && before?.isConnected && !document.querySelector(passing)) before.focus();
    }, 0);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();

// Toasts stand in the top bar, which grows by what they need: --wa-toasts is the height of those that are shown.
(() => {
  const watch = (toaster) => {
    let planned = false;
    const measure = () => {
      planned = false;
      const shown = [...toaster.querySelectorAll('[data-sonner-toast][data-visible="true"]:not([data-removed="true"])')];
      const boxes = shown.map((toast) => toast.getBoundingClientRect());
      // What they will need when they have come to rest, or reach down to now.
      const height = Math.max(0, boxes.reduce((sum, box) => sum + box.height + 6, -6), ...boxes.map((box) => box.bottom - 7));
      document.documentElement.style.setProperty("--wa-toasts", Math.round(height) + "px");
    };
    const soon = () => { if (!planned) { planned = true; requestAnimationFrame(measure); } };
    new MutationObserver(soon).observe(toaster, { childList: true, subtree: true, attributes: true });
    toaster.addEventListener("transitionend", soon);
    addEventListener("resize", soon);
    soon();
  };
  // The list is made anew each time the first toast comes, inside of a section that stays.
  let section = null;
  const find = () => {
    const found = document.querySelector('section[aria-label^="Notifications"]');
    if (found && found !== section) watch(section = found);
  };
  document.addEventListener("DOMContentLoaded", () => {
    find();
    new MutationObserver(find).observe(document.body, { childList: true });
  });
})();
