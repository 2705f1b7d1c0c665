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
        location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
      }
    } catch {
      // The server is away, which the page shows by itself.
    } finally {
      asking = false;
    }
  }
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener("close", () => setTimeout(ask, 150));
    }
  };
})();
