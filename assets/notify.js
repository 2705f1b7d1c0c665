// Who waits for a person: in the tab's title, and as a notification and a sound where somebody chose them in this browser. Of several tabs
// one tells; none does when the conversation is in front of the reader. Whatever comes from outside is only ever written as text.
(() => {
  const TOLD = "wa-told", WAIT_MS = 500;
  const signal = () => document.getElementById("wa-waiting");
  const read = (key, otherwise) => { try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } };
  const write = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* a private window keeps nothing */ } };
  const place = () => "wa-notify:" + (signal()?.dataset.operator || "");
  const chosen = () => read(place(), {});
  const can = () => "Notification" in window && window.isSecureContext;

  // ---- the title
  function title() {
    const count = Number(signal()?.dataset.count || 0), bare = document.title.replace(/^\(\d+\+?\) /, "");
    const wanted = count > 0 ? "(" + (count > 99 ? "99+" : count) + ") " + bare : bare;
    if (bare && document.title !== wanted) document.title = wanted;
  }

  // ---- telling
  const isOpen = (call) => document.visibilityState === "visible" && location.pathname.replace(/\/$/, "") === "/inbox"
    && new URLSearchParams(location.search).get("c") === call.conversation;
  const alone = (work) => (navigator.locks ? navigator.locks.request("wa-notify", work) : work());
  const claim = (key) => alone(() => {
    const told = read(TOLD, []);
    if (told.includes(key)) return false;
    write(TOLD, [...told.slice(-99), key]);
    return true;
  });
  let sound = null;
  function beep() {
    try {
      sound ||= new (window.AudioContext || window.webkitAudioContext)();
      sound.resume();
      [[880, 0], [1174.7, 0.13]].forEach(([pitch, after]) => {
        const tone = sound.createOscillator(), loud = sound.createGain(), at = sound.currentTime + after;
        tone.frequency.value = pitch;
        loud.gain.setValueAtTime(0.0001, at);
        loud.gain.exponentialRampToValueAtTime(0.16, at + 0.02);
        loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.28);
        tone.connect(loud).connect(sound.destination);
        tone.start(at);
        tone.stop(at + 0.3);
      });
    } catch { /* no sound on this machine */ }
  }
  function open(conversation) {
    window.focus();
    const line = [...document.querySelectorAll("a[data-conversation]")].find((one) => one.dataset.conversation === conversation);
    if (line) line.click(); else location.assign("/inbox?c=" + encodeURIComponent(conversation));
  }
  function notify(call) {
    try {
      const note = new Notification(call.name + " is waiting", { body: call.text, tag: "wa-" + call.conversation, icon: "/logo.svg" });
      note.onclick = () => { note.close(); if (call.conversation) open(call.conversation); };
    } catch { /* phones want a service worker for it */ }
  }
  function tell(call) {
    const wants = chosen();
    if (wants.browser && can() && Notification.permission === "granted") notify(call);
    if (wants.sound) beep();
  }
  const met = new Set();
  function calls() {
    for (const call of parsed(signal()?.dataset.calls)) {
      if (met.has(call.key)) continue;
      met.add(call.key);
      // Where the conversation is open nobody need be told; the other tabs wait for that one to say so.
      if (isOpen(call)) claim(call.key);
      else setTimeout(async () => { if (await claim(call.key) && !isOpen(call)) tell(call); }, WAIT_MS);
    }
  }
  function parsed(text) { try { return JSON.parse(text || "[]"); } catch { return []; } }

  // ---- the choice, on the profile page
  function why() {
    if (!("Notification" in window)) return "This browser has no notifications.";
    if (!window.isSecureContext) return "Notifications need https (or localhost): ask whoever runs the dashboard.";
    if (Notification.permission === "denied") return "This browser blocks notifications of this site. Allow them in its settings for the site, then turn them on here.";
    return "";
  }
  function draw() {
    if (!signal()?.dataset.operator) return;  // React has not taken over the page yet, and must find it as it was sent
    const wants = chosen();
    for (const button of document.querySelectorAll("[data-notify]")) {
      const name = button.dataset.notify, on = !!wants[name] && (name !== "browser" || (can() && Notification.permission === "granted"));
      if (button.getAttribute("aria-checked") !== String(on)) button.setAttribute("aria-checked", on);
    }
    const note = document.getElementById("wa-notify-note"), words = why();
    if (note && note.textContent !== words) note.textContent = words;
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-notify]");
    if (button) {
      const name = button.dataset.notify, on = button.getAttribute("aria-checked") !== "true";
      if (on && name === "browser" && can() && Notification.permission === "default") await Notification.requestPermission();
      write(place(), { ...chosen(), [name]: on && (name !== "browser" || (can() && Notification.permission === "granted")) });
      if (on && name === "sound") beep();
      draw();
    } else if (event.target.closest?.("[data-notify-try]")) {
      const wants = chosen(), note = document.getElementById("wa-notify-note");
      tell({ key: "try", conversation: "", name: "Somebody", text: "This is how it looks." });
      if (note && !wants.browser && !wants.sound) note.textContent = "Turn on one of them first.";
    }
  });
  window.addEventListener("storage", draw);

  let waiting = false;
  function look() { waiting = false; title(); calls(); draw(); }
  function soon() { if (!waiting) { waiting = true; setTimeout(look, 50); } }
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributes: true,
    attributeFilter: ["data-count", "data-calls", "data-operator"] });
  soon();
})();
