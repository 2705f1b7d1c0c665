// What an operator has written and the server has not yet stored: texts, quoted replies, notes and changed texts wait here, in the browser's
// storage, and go out in order, one at a time per conversation, each under a key of its own, so that asking twice makes one message.
// Loaded on every page: leaving the inbox, a reload, a restart of the server or of the browser stop nothing. Drafts lie beside them.
// Everything is kept per operator; nobody else's is read, and drafts of others are removed.
(() => {
  const OUT = "wa.out.", DRAFT = "wa.draft.";
  const DRAFT_MS = 30 * 86_400_000;
  const WAITS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
  const MOST_BUGS = 8;       // so many errors of the server, and it is shown as refused
  const GONE_MS = 6_000;     // how long a stored one is shown until the page has it from the server
  let operator = "", halted = false, last = 0;
  const lanes = new Map();   // conversation -> wakes its lane up
  const stored = new Map();  // key -> an item the server has, until the page shows it

  function parsed(text) { try { return JSON.parse(text); } catch { return null; } }
  function read(prefix) {
    const found = [];
    try {
      for (let at = 0; at < localStorage.length; at++) {
        const name = localStorage.key(at), value = name.startsWith(prefix) ? parsed(localStorage.getItem(name)) : null;
        if (value) found.push([name, value]);
      }
    } catch { /* no storage: nothing waits */ }
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  const mine = () => (operator ? read(`${OUT}${operator}.`) : []);
  function write(name, value) {
    try { localStorage.setItem(name, JSON.stringify(value)); return true; } catch { return false; }
  }
  function remove(name) { try { localStorage.removeItem(name); } catch { /* see above */ } }
  const tell = () => window.dispatchEvent(new Event("wa-outbox"));
  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return "wa-" + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // ---- what others ask for
  function add(item) {
    const newest = mine().reduce((most, [, each]) => Math.max(most, each.at), 0);
    last = Math.max(Date.now(), last + 1, newest + 1);
    const made = { ...item, key: newKey(), at: last, tries: 0, bugs: 0, refusal: "" };
    if (!write(`${OUT}${operator}.${String(made.at).padStart(15, "0")}.${made.key}`, made)) return null;
    tell();
    run();
    return made;
  }
  function change(key, how) {
    for (const [name, item] of mine()) if (item.key === key) how(name, item);
    tell();
    run();
  }
  function items(conversation) {
    const waiting = mine().map(([, item]) => item);
    const keys = new Set(waiting.map((item) => item.key));
    const rest = [...stored.values()].filter((item) => !keys.has(item.key));
    return [...rest, ...waiting].filter((item) => item.conversation === conversation).sort((a, b) => a.at - b.at);
  }
  function draft(conversation, value) {
    const name = `${DRAFT}${operator}.${conversation}`;
    if (!operator || !conversation) return null;
    if (value === undefined) { try { return parsed(localStorage.getItem(name)); } catch { return null; } }
    if (value === null || (!value.text && value.mode === "reply" && !value.reply)) remove(name);
    else write(name, { ...value, at: Date.now() });
    return value;
  }
  function forgetDrafts() { for (const [name] of read(DRAFT)) remove(name); }

  // ---- sending
  const request = (item) => item.kind === "note"
    ? ["/api/conversations/" + encodeURIComponent(item.conversation) + "/notes", { text: item.text }]
    : item.kind === "edit"
      ? ["/api/messages/" + encodeURIComponent(item.edits) + "/edit", { message: item.text }]
      : ["/api/messages/send", { account_id: item.account, conversation_id: item.conversation, message: item.text, from_inbox: true,
        ...(item.reply ? { quoted_id: item.reply.id } : {}) }];

  async function post(item) {
    const [address, content] = request(item), body = JSON.stringify(content);
    return fetch(address, { method: "POST", body, keepalive: body.length < 30_000, signal: AbortSignal.timeout(20_000), headers: {
      "Content-Type": "application/json", "Idempotency-Key": item.key, "X-Requested-With": "inbox", "X-For-Operator": operator } });
  }
  // One try. Gives back how long to wait before the next, 0 to go on at once, or null to stop.
  async function send(name, item) {
    let answer;
    try { answer = await post(item); } catch { answer = null; }
    if (localStorage.getItem(name) === null) return 0;  // another tab was quicker, or it was discarded
    if (answer?.ok) {
      stored.set(item.key, { ...item, refusal: "" });
      setTimeout(() => { stored.delete(item.key); tell(); }, item.kind === "edit" ? 0 : GONE_MS);
      remove(name);
      tell();
      return 0;
    }
    const problem = answer ? await answer.json().catch(() => ({})) : {};
    if (answer?.status === 401 || problem.code === "other_operator") { halted = true; window.waSession?.(); return null; }
    const bug = answer?.status === 500;
    const later = !answer || bug || [408, 425, 429, 502, 503, 504].includes(answer.status);
    const changed = { ...item, tries: item.tries + 1, bugs: item.bugs + (bug ? 1 : 0) };
    if (!later || changed.bugs >= MOST_BUGS) changed.refusal = problem.detail || problem.title || "The server answered " + answer.status + ".";
    write(name, changed);
    tell();
    if (changed.refusal) return 0;
    if (!answer) window.waLine?.suspect();
    const asked = Number(answer?.headers.get("Retry-After")) * 1_000 || 0;
    return Math.max(asked, WAITS[Math.min(item.tries, WAITS.length - 1)]);
  }
  // Tabs take turns where the browser lets them; where it does not, the key alone keeps a message from being made twice.
  async function inTurn(conversation, work) {
    if (!navigator.locks) return work();
    return navigator.locks.request(`wa-out-${operator}-${conversation}`, { ifAvailable: true }, (lock) => (lock ? work() : 1_000));
  }
  async function lane(conversation) {
    const next = () => mine().find(([, item]) => item.conversation === conversation && !item.refusal);
    try {
      while (!halted && next()) {
        const wait = await inTurn(conversation, async () => { const found = next(); return found ? send(...found) : 0; });
        if (wait === null) return;
        if (wait) await new Promise((done) => { const timer = setTimeout(done, wait); lanes.set(conversation, () => { clearTimeout(timer); done(); }); });
        if (lanes.has(conversation)) lanes.set(conversation, () => {});
      }
    } finally { lanes.delete(conversation); }
    if (!halted && next()) run();
  }
  function run() {
    if (!operator || halted) return;
    for (const [, item] of mine()) {
      if (item.refusal || lanes.has(item.conversation)) continue;
      lanes.set(item.conversation, () => {});
      lane(item.conversation);
    }
  }
  function kick() { halted = false; for (const wake of [...lanes.values()]) wake(); run(); }
  for (const kind of ["online", "wa-connected", "pageshow"]) window.addEventListener(kind, kick);
  window.addEventListener("wa-line", () => { if (!window.waLine.away) kick(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") kick(); });
  window.addEventListener("storage", (event) => {
    if (event.key !== null && !event.key.startsWith(OUT)) return;
    if (event.key && event.newValue === null && event.oldValue) {
      const item = parsed(event.oldValue) || { refusal: "damaged" };  // sent by another tab: shown until this one has it from the server
      if (event.key.startsWith(`${OUT}${operator}.`) && !item.refusal) { stored.set(item.key, item); setTimeout(() => { stored.delete(item.key); tell(); }, GONE_MS); }
    }
    tell();
    run();
  });

  // ---- whose they are: the page says who is logged in
  function look() {
    const found = document.getElementById("wa-line")?.dataset.operator || "";
    if (!found || found === operator) return;
    operator = found;
    for (const [name, value] of read(DRAFT)) {
      if (!name.startsWith(`${DRAFT}${operator}.`) || Date.now() - value.at > DRAFT_MS) remove(name);
    }
    window.dispatchEvent(new Event("wa-operator"));
    tell();
    kick();
  }
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-operator"] });

  // Logging out removes every word of this operator from the browser; what has not gone out would be lost, so it asks.
  async function logOut() {
    const waiting = mine().length;
    const lost = waiting === 1 ? "A message has not been sent yet." : `${waiting} messages have not been sent yet.`;
    if (waiting && !window.confirm(`${lost} Log out and discard what waits?`)) return;
    for (const [name] of mine()) remove(name);
    forgetDrafts();
    try { sessionStorage.removeItem("wa.lost"); } catch { /* nothing is in it then */ }
    operator = "";
    await fetch("/api/auth/logout", { method: "POST" }).catch(() => {});
    window.location.assign("/login?ended=1");
  }

  window.waOutbox = {
    add, items, draft, forgetDrafts, logOut,
    ready: () => !!operator,
    count: () => mine().filter(([, item]) => !item.refusal).length,
    waits: (conversation) => mine().some(([, item]) => item.conversation === conversation && !item.refusal),
    refused: () => mine().map(([, item]) => item).find((item) => item.refusal) || null,
    shown: (key) => { stored.delete(key); },
    again: (key) => change(key, (name, item) => write(name, { ...item, tries: 0, bugs: 0, refusal: "" })),
    discard: (key) => { change(key, remove); stored.delete(key); tell(); },
    settled: async (conversation) => { while (window.waOutbox.waits(conversation)) await new Promise((done) => setTimeout(done, 100)); },
  };
})();
