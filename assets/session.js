// When the server closes a page's socket, find out whether the session has ended; if so, go to the login page.
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
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      const line = window.waLine;
      line?.sockets.add(this);
      this.addEventListener("message", () => { if (line) line.heard = performance.now(); });
      this.addEventListener("close", () => { line?.sockets.delete(this); setTimeout(ask, 150); });
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
