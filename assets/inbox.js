// What the inbox needs at once in the browser: keys, files, emoji, scrolling; the composer itself is composer.js. Everything that changes
// data goes through the page's own buttons, the outbox, or the API. Whatever comes from outside is only ever written as text.
(() => {
  if (window.waInbox) return;
  window.waInbox = true;
  const one = (selector) => document.querySelector(selector);
  const inbox = () => document.getElementById("inbox");
  const field = () => document.getElementById("composer-text");
  const composer = () => document.getElementById("inbox-composer");
  const typing = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  const press = (selector) => { const found = one(selector); if (found) found.click(); return !!found; };

  let files = [];
  const kept = new Map();  // conversation -> its files, while another one is open
  let current = "";
  window.waFiles = () => files.length;
  const { grow, remember } = { grow: () => window.waComposer?.grow(), remember: () => window.waComposer?.remember() };

  // ---- next and previous conversation
  function step(by) {
    const links = [...document.querySelectorAll("a[data-conversation]")];
    const at = links.findIndex((link) => link.classList.contains("wa-current"));
    const next = links[at < 0 ? 0 : at + by];
    if (next) { next.click(); next.scrollIntoView({ block: "nearest" }); }
  }

  document.addEventListener("keydown", (event) => {
    if (!inbox() || event.isComposing) return;
    const inDialog = one('[role="dialog"], [role="alertdialog"], [role="menu"]');
    if (event.target.id === "composer-text") {
      // On a touch screen Enter makes a new line, as in WhatsApp itself.
      if (event.key === "Enter" && !matchMedia("(pointer: coarse)").matches && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        document.getElementById("inbox-form").requestSubmit();
        return;
      }
      if (event.key === "Escape") {
        if (!press('[data-key="cancel"]')) event.target.blur();
        return;
      }
    }
    if (inDialog) return;
    if (event.altKey && !event.ctrlKey && !event.metaKey) {
      const acts = { KeyJ: () => step(1), KeyK: () => step(-1), KeyE: () => press('[data-key="alt+e"]') };
      if (acts[event.code]) { event.preventDefault(); if (!event.repeat || event.code !== "KeyE") acts[event.code](); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (typing(event.target)) event.target.blur();
      else if (!press('[data-key="cancel"]')) press('[data-key="details"]');
    } else if (typing(event.target)) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      document.getElementById("inbox-search")?.focus();
    } else if (event.key === "r" || event.key === "R") {
      if (field()) { event.preventDefault(); field().focus(); }
    } else if (event.key === "?") {
      event.preventDefault();
      press('[data-key="?"]');
    }
  });

  // ---- files
  function tray() { return document.getElementById("inbox-tray"); }
  function show() {
    const box = tray();
    if (!box) return;
    box.replaceChildren(...files.map((entry) => {
      const chip = document.createElement("span");
      chip.className = "wa-chip wa-attached" + (entry.error ? " wa-attached-bad" : "");
      if (entry.file.type.startsWith("image/") && entry.file.type !== "image/svg+xml") {
        const picture = document.createElement("img");
        picture.src = entry.url ||= URL.createObjectURL(entry.file);
        picture.alt = "";
        chip.append(picture);
      }
      const name = document.createElement("span");
      name.className = "wa-clip";
      name.textContent = entry.file.name || "File";
      const note = document.createElement("span");
      note.className = "wa-attached-note";
      note.textContent = entry.error || (entry.busy ? "Sending…" : size(entry.file.size));
      chip.append(name, note);
      if (!entry.busy) {
        const remove = document.createElement("button");
        remove.type = "button";
        remove.textContent = "×";
        remove.setAttribute("aria-label", "Remove " + name.textContent);
        remove.addEventListener("click", () => { drop(entry); show(); });
        chip.append(remove);
      }
      return chip;
    }));
  }
  function size(bytes) { return bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + " kB" : (bytes / 1e6).toFixed(1) + " MB"; }
  function drop(entry) {
    if (entry.url) URL.revokeObjectURL(entry.url);
    files = files.filter((other) => other !== entry);
    for (const [conversation, list] of kept) kept.set(conversation, list.filter((other) => other !== entry));
  }
  function add(list) {
    const box = composer();
    if (!box || box.dataset.inside) return;
    for (const file of list) if (files.length < 20) files.push({ file, error: "", busy: false });
    show();
    field()?.focus();
  }
  async function upload() {
    const box = composer(), input = field();
    const { conversation, account } = box.dataset, reply = window.waComposer.draft().reply?.id;
    let caption = input.value;
    window.waComposer.put("");
    // What was written before goes out before; while that cannot be, the files say so and stay.
    if (window.waLine?.away) { refuse(files, "Not connected. It stays here; send it again when the line is back."); window.waComposer.give(conversation, caption); return; }
    await window.waOutbox.settled(conversation);
    for (const entry of files.filter((each) => !each.busy)) {
      Object.assign(entry, { busy: true, error: "", key: entry.key || "file-" + crypto.getRandomValues(new Uint32Array(4)).join("-") });
      show();
      const form = new FormData();
      form.append("account_id", account);
      form.append("conversation_id", conversation);
      form.append("from_inbox", "true");
      if (caption) form.append("caption", caption);
      if (reply) form.append("quoted_id", reply);
      form.append("file", entry.file, entry.file.name || "file");
      try {
        const answer = await fetch("/api/messages/send/media", { method: "POST", body: form, headers: { "X-Requested-With": "inbox", "Idempotency-Key": entry.key } });
        if (!answer.ok) {
          const problem = await answer.json().catch(() => ({}));
          if (problem.code === "idempotency_key_reused") { drop(entry); continue; }  // it went out at the last try, whose answer was lost
          if (answer.status < 500) entry.key = "";
          throw new Error(problem.detail || problem.title || "The server answered " + answer.status);
        }
        drop(entry);
        caption = "";
      } catch (error) {
        Object.assign(entry, { busy: false, error: error instanceof TypeError ? "Not connected. It stays here; send it again when the line is back." : error.message });
      }
      show();
    }
    window.waThread?.toEnd();
    if (caption) window.waComposer.give(conversation, caption);
    if (reply && composer()?.dataset.conversation === conversation) window.waComposer.answered();
  }
  function refuse(entries, why) { for (const entry of entries) entry.error = why; show(); }

  // Before the composer's own listener: with files attached the text is their caption.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "inbox-form") return;
    look();  // the page may have changed since the last frame: these are the files of the conversation that is open now
    const box = composer();
    if (files.length && !box.dataset.inside) {
      event.preventDefault();
      event.stopImmediatePropagation();
      upload();
    }
  }, true);

  document.addEventListener("change", (event) => {
    if (event.target.id === "inbox-files") { add(event.target.files); event.target.value = ""; }
  });
  document.addEventListener("paste", (event) => {
    if (event.target.id === "composer-text" && event.clipboardData?.files.length) { event.preventDefault(); add(event.clipboardData.files); }
  });
  const carriesFiles = (event) => inbox() && composer() && [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inbox().classList.add("wa-dropping");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) inbox()?.classList.remove("wa-dropping"); });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inbox().classList.remove("wa-dropping");
    add(event.dataTransfer.files);
  });

  // ---- clicks: emoji, quoted messages
  document.addEventListener("click", (event) => {
    const emoji = event.target.closest?.("[data-emoji]");
    const input = field();
    if (emoji && input) {
      input.setRangeText(emoji.dataset.emoji, input.selectionStart, input.selectionEnd, "end");
      grow();
      remember();
    }
    const jump = event.target.closest?.("[data-jump]");
    const target = jump && document.getElementById("m-" + jump.dataset.jump);
    if (target) {
      target.scrollIntoView({ block: "center", behavior: "smooth" });
      target.classList.add("wa-found");
      setTimeout(() => target.classList.remove("wa-found"), 1600);
    }
  });

  // ---- scrolling. The thread is laid out from its end, so that older messages above move nothing.
  let asked = 0;
  document.addEventListener("scroll", (event) => {
    const thread = event.target;
    if (thread.id === "inbox-thread") {
      const above = thread.scrollHeight - thread.clientHeight + thread.scrollTop;
      if (above < 120 && thread.scrollTop < 0 && Date.now() - asked > 600) { asked = Date.now(); press('[data-more="thread"]'); }
    } else if (thread.classList?.contains("wa-inbox-lines")) {
      const below = thread.scrollHeight - thread.clientHeight - thread.scrollTop;
      if (below < 200 && Date.now() - asked > 600) { asked = Date.now(); press('[data-more="list"]'); }
    }
  }, true);

  // ---- what follows from the page having changed
  let waiting = false;
  function look() {
    waiting = false;
    const box = composer(), conversation = box?.dataset.conversation || "";
    if (conversation !== current) {
      if (files.length) kept.set(current, files);
      files = kept.get(conversation) || [];
      kept.delete(conversation);
      current = conversation;
      show();
    }
    if (document.visibilityState === "visible") {
      const read = one('[data-auto="read"]:not([data-done])');
      if (read) { read.dataset.done = "yes"; read.click(); }
    }
  }
  function soon() { if (!waiting && inbox()) { waiting = true; requestAnimationFrame(look); } }
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-conversation"] });
  document.addEventListener("visibilitychange", soon);
  soon();
})();
