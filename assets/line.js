// Whether the page reaches the server. Says so in a plain bar, marks <html data-wa-line="away">, and tells whoever listens for "wa-line".
// What is known comes from three sides: Reflex's socket, requests that failed, and a look at the server when the socket is silent.
(() => {
  const QUIET_MS = 25_000;  // the server says something at least every 10 s
  const LOOK_MS = 1_500;
  const FIRST_MS = 4_000;   // a page that has just been opened is not away yet
  const BAR_MS = 400;
  const line = window.waLine = { away: false, connected: false, heard: performance.now(), sockets: new Set(), suspect };
  let socketAway = false, serverAway = false, looking = false, since = 0, refusedUntil = 0;

  function settle() {
    const away = socketAway || serverAway;
    if (away === line.away) return;
    line.away = away;
    since = performance.now();
    document.documentElement.dataset.waLine = away ? "away" : "";
    window.dispatchEvent(new Event("wa-line"));
    draw();
    if (away) setTimeout(draw, BAR_MS + 20);
  }

  // Reflex calls these, and is told nothing by them.
  window.__reflex_otel = {
    ...window.__reflex_otel,
    onEventSend: (event) => window.waOnce?.sent(event),
    onSocketConnect: () => { line.connected = true; socketAway = serverAway = false; line.heard = performance.now(); settle(); window.dispatchEvent(new Event("wa-connected")); },
    onSocketDisconnect: () => { line.connected = false; socketAway = true; settle(); },
  };
  setTimeout(() => { if (!line.connected) { socketAway = true; settle(); } }, FIRST_MS);

  // ---- a look at the server
  async function reaches() {
    try { return (await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(4_000) })).ok; } catch { return false; }
  }
  async function suspect() {
    if (looking) return;
    looking = true;
    try {
      while (!(await reaches())) {
        serverAway = true;
        settle();
        for (const socket of line.sockets) socket.close();  // it may not know that its other end is gone
        await new Promise((done) => setTimeout(done, LOOK_MS));
      }
      serverAway = false;
      line.heard = performance.now();
      settle();
    } finally { looking = false; }
  }
  setInterval(() => { if (line.connected && performance.now() - line.heard > QUIET_MS) suspect(); }, 5_000);
  window.addEventListener("offline", suspect);
  window.addEventListener("online", suspect);

  // ---- the bar
  line.refused = () => { refusedUntil = performance.now() + 4_000; draw(); setTimeout(draw, 4_050); };
  function words() {
    if (!line.away || performance.now() - since < BAR_MS) return "";
    if (performance.now() < refusedUntil) return "Not connected, so nothing was done. Press again when the line is back.";
    const waiting = window.waOutbox?.count() || 0;
    const what = waiting === 1 ? " 1 message waits and goes out by itself." : waiting ? ` ${waiting} messages wait and go out by themselves.` : "";
    return "Reconnecting …" + what;
  }
  function draw() {
    const bar = document.getElementById("wa-line");
    if (!bar) return;
    let text = words(), link = "";
    const refused = window.waOutbox?.refused();
    if (!text && refused && !document.querySelector(`[data-waiting="${refused.key}"]`)) {
      text = "A message was not accepted. ";
      link = "/inbox?c=" + encodeURIComponent(refused.conversation);
    }
    // What is touched before React has taken the page over makes React draw it anew, without its styles.
    if (!Object.keys(bar).some((name) => name.startsWith("__react"))) { setTimeout(draw, 250); return; }
    if ((bar.dataset.says || "") === text + link) return;  // and before React has taken the page over, nothing is touched
    bar.dataset.says = text + link;
    bar.replaceChildren(...(text ? [text] : []));
    if (link) {
      const open = document.createElement("a");
      open.href = link;
      open.textContent = "Look at it";
      bar.append(open);
    }
  }
  line.draw = draw;
  let due = false;
  new MutationObserver(() => { if (!due) { due = true; requestAnimationFrame(() => { due = false; draw(); }); } })
    .observe(document.documentElement, { childList: true, subtree: true });
  window.addEventListener("wa-outbox", draw);
})();
