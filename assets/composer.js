// The composer of the inbox lives in the browser: what is written, and whether it is a reply, a note or the new text of a message, is a draft of
// its conversation; what is sent goes through the outbox and is shown at once, as waiting, until the page has the stored one from the
// server. Whatever comes from outside is only ever written as text.
(() => {
  if (window.waComposer) return;
  const outbox = () => window.waOutbox;
  const field = () => document.getElementById("composer-text");
  const composer = () => document.getElementById("inbox-composer");
  const open = () => composer()?.dataset.conversation || "";
  const EMPTY = { text: "", mode: "reply", reply: null, edits: "", before: "" };
  let draft = { ...EMPTY }, current = "", ready = false;

  function make(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function icon(...paths) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({ width: 14, height: 14, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" })) picture.setAttribute(name, value);
    for (const way of paths) picture.appendChild(document.createElementNS(picture.namespaceURI, "path")).setAttribute("d", way);
    return picture;
  }
  const CLOCK = ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z", "M12 6v6l4 2"];
  const REPLY = ["M9 17 4 12l5-5", "M20 18v-2a4 4 0 0 0-4-4H4"];
  const PENCIL = ["M17 3a2.85 2.83 0 1 1 4 4L7.5 20.5 2 22l1.5-5.5Z"];
  const CROSS = ["M18 6 6 18", "m6 6 12 12"];
  const LOCK = ["M5 11h14v10H5Z", "M8 11V7a4 4 0 0 1 8 0v4"];

  function grow() {
    const input = field();
    if (!input) return;
    input.style.height = "auto";
    input.style.height = Math.min(input.scrollHeight, 180) + "px";
  }
  function remember() {
    const input = field();
    if (!input || !current) return;
    draft.text = input.value;
    outbox().draft(current, draft);
  }
  function put(text) {
    const input = field();
    if (!input) return;
    input.value = text;
    grow();
    remember();
  }

  // ---- how the composer looks: what is being written
  function draw() {
    const box = composer(), input = field();
    if (!box || !input) return;
    const note = draft.mode === "note";
    box.classList.toggle("wa-composer-note", note);
    box.dataset.inside = note ? "yes" : "";
    input.placeholder = note ? "Write a note nobody outside sees" : "Write a message";
    input.setAttribute("aria-label", note ? "Note" : "Message");
    for (const button of box.querySelectorAll("[data-mode]")) {
      const on = button.dataset.mode === (note ? "note" : "reply");
      button.classList.toggle("wa-tab-on", on);
      button.setAttribute("aria-pressed", String(on));
    }
    const send = box.querySelector('[type="submit"]');
    send.setAttribute("aria-label", note ? "Save note" : draft.edits ? "Save" : "Send");
    send.setAttribute("data-accent-color", note ? "amber" : "jade");
    const context = document.getElementById("inbox-context");
    if (!draft.reply && !draft.edits) { context.replaceChildren(); return; }
    const cancel = make("button", "wa-tool");
    Object.assign(cancel, { type: "button" });
    cancel.setAttribute("aria-label", "Cancel");
    cancel.dataset.key = cancel.dataset.cancel = "cancel";
    cancel.append(icon(...CROSS));
    const words = make("div", "wa-context-text");
    const title = make("div", "wa-quote-name", draft.edits ? "Edit message" : draft.reply.name);
    const text = make("div", "wa-clip", draft.edits ? "Enter saves, Esc keeps the old text" : draft.reply.text);
    title.dir = text.dir = "auto";
    words.append(title, text);
    const bar = make("div", "wa-context");
    bar.append(icon(...(draft.edits ? PENCIL : REPLY)), words, cancel);
    context.replaceChildren(bar);
  }
  function become(changes, text) {
    Object.assign(draft, changes);
    draw();
    if (text !== undefined) put(text); else remember();
    field()?.focus();
  }
  // What was in the field before a text was changed comes back.
  function giveUp() { become({ reply: null, edits: "", mode: draft.mode, before: "" }, draft.edits ? draft.before : undefined); }

  document.addEventListener("click", (event) => {
    const found = (name) => event.target.closest?.(`[data-${name}]`);
    const mode = found("mode"), reply = found("reply-to"), edit = found("edits"), item = found("waiting");
    if (!open()) return;
    if (mode) become({ mode: mode.dataset.mode, reply: null, edits: "", before: "" }, draft.edits ? draft.before : undefined);
    else if (reply) become({ mode: "reply", reply: { id: reply.dataset.replyTo, name: reply.dataset.name, text: reply.dataset.text.slice(0, 300) }, edits: "", before: "" }, draft.edits ? draft.before : undefined);
    else if (edit) become({ mode: "reply", reply: null, edits: edit.dataset.edits, before: draft.edits ? draft.before : field().value }, edit.dataset.text);
    else if (found("cancel")) giveUp();
    else if (item && event.target.closest("[data-again]")) outbox().again(item.dataset.waiting);
    else if (item && event.target.closest("[data-discard]")) outbox().discard(item.dataset.waiting);
  });
  document.addEventListener("input", (event) => { if (event.target.id === "composer-text") { grow(); remember(); } });

  // ---- sending. With files attached inbox.js has taken the event already: the text is their caption.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "inbox-form" || (window.waFiles?.() && draft.mode !== "note")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    look();
    const input = field(), text = input.value.trim();
    if (!text || !outbox().ready()) return;
    const kind = draft.edits ? "edit" : draft.mode === "note" ? "note" : "text";
    const sent = outbox().add({ kind, conversation: current, account: composer().dataset.account, text, reply: draft.reply, edits: draft.edits });
    if (!sent) { window.alert("This browser's storage is full, so nothing can wait in it. The text stays in the field."); return; }
    const after = draft.edits ? draft.before : "";
    Object.assign(draft, { reply: null, edits: "", before: "" });
    draw();
    put(after);
    waiting();
    window.waThread?.toEnd();
  }, true);

  // ---- what waits, at the end of the thread
  function bubble(item) {
    const line = make("div", "wa-line wa-mine"), box = make("div", "wa-bubble wa-waiting" + (item.kind === "note" ? " wa-note" : ""));
    line.dataset.waiting = item.key;
    if (item.kind === "note") {
      const head = make("div", "wa-note-head");
      head.append(icon(...LOCK), make("span", "", "Note"));
      box.append(head);
    }
    if (item.kind === "edit") box.append(make("div", "wa-quote-name", "New text of a message"));
    if (item.reply) {
      const quote = make("div", "wa-quote"), name = make("span", "wa-quote-name", item.reply.name), words = make("span", "wa-quote-text");
      words.append(make("span", "wa-clip", item.reply.text));
      quote.append(name, words);
      box.append(quote);
    }
    const text = make("div", "wa-text", item.text), foot = make("div", "wa-foot"), time = make("time", "", new Date(item.at).toTimeString().slice(0, 5));
    text.dir = "auto";
    const state = make("span", "wa-wait-clock");
    state.setAttribute("role", "img");
    state.setAttribute("aria-label", item.refusal ? "Not accepted" : "Waiting");
    state.append(icon(...CLOCK));
    if (!item.refusal && (item.tries || window.waLine?.away)) foot.append(make("span", "", "Waits for the connection"));
    foot.append(time, state);
    box.append(text, foot);
    line.append(box);
    if (item.refusal) {
      const trouble = make("div", "wa-trouble", item.refusal);
      trouble.setAttribute("role", "note");
      for (const [name, label] of [["again", "Try again"], ["discard", "Discard"]]) {
        const button = make("button", "wa-link", label);
        button.type = "button";
        button.dataset[name] = "yes";
        trouble.append(button);
      }
      line.append(trouble);
    }
    return line;
  }
  const shows = (item) => `${item.key} ${item.refusal} ${item.tries > 0} ${!!window.waLine?.away}`;
  function waiting() {
    const place = document.getElementById("inbox-waiting");
    if (!place) return;
    const items = outbox().items(current).filter((item) => {
      // It is in the thread by now: the one that waited goes in the same frame, so that there is never none and never both.
      const there = document.querySelector(`[data-sent-as="${item.key}"]`);
      if (there) outbox().shown(item.key);
      return !there;
    });
    const wanted = items.map(shows).join("\n");
    if (place.dataset.shows === wanted && place.children.length === items.length) return;
    place.dataset.shows = wanted;
    place.replaceChildren(...items.map(bubble));
    window.waLine?.draw();
  }

  // ---- what follows from the page having changed
  function look() {
    const conversation = outbox()?.ready() ? open() : "";
    if (conversation !== current || (conversation && composer() !== ready)) {
      current = conversation;
      ready = composer();
      if (conversation) {
        draft = { ...EMPTY, ...outbox().draft(conversation) };
        const input = field();
        input.value = draft.text;
        grow();
        draw();
        if (matchMedia("(hover: hover) and (min-width: 1024px)").matches) input.focus({ preventScroll: true });
      }
    }
    waiting();
  }
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-conversation", "data-sent-as", "data-operator"] });
  for (const kind of ["wa-outbox", "wa-line", "wa-operator"]) window.addEventListener(kind, look);
  window.waComposer = { grow, remember, put, draft: () => draft, give: (conversation, text) => {
    if (conversation === current) { if (!field().value) put(text); return; }
    const kept = outbox().draft(conversation);
    if (!kept?.text) outbox().draft(conversation, { ...EMPTY, ...kept, text });
  }, answered: () => become({ reply: null }) };
  look();
})();
