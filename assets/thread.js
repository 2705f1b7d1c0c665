// The open thread in the browser: opened at the right place, the way back to its end, long texts. Everything that needs the server goes
// through the page's own buttons.
(() => {
  if (window.waThread) return;
  window.waThread = { toEnd };
  const thread = () => document.getElementById("inbox-thread");
  const press = (selector) => document.querySelector(selector)?.click();
  const FAR = 160;  // pixels from the end at which one still reads along
  let seen = null, end = "", fresh = 0;

  const last = (box) => [...box.querySelectorAll(".wa-thread-items [data-message]")].pop()?.dataset.message || "";
  const isAway = (box) => box.dataset.newer === "yes" || -box.scrollTop > FAR;

  // Whoever writes wants to see it. While the server is away, an older place cannot be left.
  function toEnd() {
    const box = thread();
    if (!box) return;
    if (box.dataset.newer !== "yes") box.scrollTop = 0;
    else if (!window.waLine?.away) press('[data-more="end"]');
  }

  function place(box) {
    const target = box.dataset.place ? document.getElementById("m-" + box.dataset.place) : box.querySelector(".wa-fresh");
    if (box.dataset.place && !target && box.querySelector("[aria-hidden]") && !last(box)) return false;  // still loading
    if (!last(box)) return false;
    if (target) {
      const above = target.getBoundingClientRect().top < box.getBoundingClientRect().top;
      if (box.dataset.place || above) target.scrollIntoView({ block: box.dataset.place ? "center" : "start", behavior: "instant" });
      if (box.dataset.place) {
        target.classList.add("wa-found");
        setTimeout(() => target.classList.remove("wa-found"), 1600);
      }
    }
    return true;
  }

  function count(box) {
    const all = [...box.querySelectorAll(".wa-thread-items [data-message]")];
    const at = all.findIndex((one) => one.dataset.message === end);
    return at < 0 ? 0 : all.slice(at + 1).filter((one) => !one.closest(".wa-mine")).length;
  }

  function show() {
    const box = thread(), spot = document.querySelector(".wa-jump-place");
    if (!box || !spot) return;
    const away = isAway(box);
    if (away) fresh = box.dataset.newer === "yes" ? 0 : count(box); else { fresh = 0; end = last(box); }
    spot.toggleAttribute("data-on", away);
    const pill = spot.querySelector(".wa-jump");
    pill.toggleAttribute("data-new", fresh > 0);
    const words = fresh ? fresh + (fresh === 1 ? " new message" : " new messages") : "";
    const label = pill.querySelector(".wa-jump-count");
    if (label.textContent !== words) label.textContent = words;
    pill.setAttribute("aria-label", words ? words + ", go to the newest" : "Go to the newest message");
  }

  function look() {
    const box = thread();
    if (!box) { seen = null; return; }
    const name = box.dataset.thread + "|" + (box.dataset.place || "");
    if (name !== seen && place(box)) { seen = name; end = last(box); }
    show();
  }
  let waiting = false;
  const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; look(); }); } };
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-place", "data-newer", "data-thread"] });

  let asked = 0;
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (box.id !== "inbox-thread") return;
    show();
    if (box.dataset.newer === "yes" && -box.scrollTop < 120 && Date.now() - asked > 600 && seen) { asked = Date.now(); press('[data-more="newer"]'); }
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-jump-end]")) {
      const box = thread();
      if (box.dataset.newer === "yes") press('[data-more="end"]');
      else box.scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth" });
      return;
    }
    const button = event.target.closest?.("[data-unfold]");
    if (button) {
      const whole = button.previousElementSibling.toggleAttribute("data-whole");
      button.setAttribute("aria-expanded", whole);
      if (!whole) button.closest(".wa-bubble")?.scrollIntoView({ block: "nearest" });
    }
  });
  soon();
})();
