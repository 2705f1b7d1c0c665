// Pictures of the thread, large: arrows go to the next and the one before, Esc closes. Text is only ever written as text.
(() => {
  if (window.waViewer) return;
  window.waViewer = true;
  const links = () => [...document.querySelectorAll("#inbox-thread a.wa-media-link")].filter((link) => link.querySelector("img.wa-media"));
  let box, at = 0, before = null;

  function make() {
    box = document.createElement("dialog");
    box.className = "wa-viewer";
    box.setAttribute("aria-label", "Picture");
    const part = (tag, className, label, text) => {
      const made = document.createElement(tag);
      made.className = className;
      if (label) { made.setAttribute("aria-label", label); made.title = label; }
      if (text) made.textContent = text;
      return made;
    };
    const drawing = (path) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round",
        "stroke-linejoin": "round", "aria-hidden": "true" })) made.setAttribute(name, value);
      line.setAttribute("d", path);
      made.append(line);
      return made;
    };
    const bar = part("div", "wa-viewer-bar"), stage = part("div", "wa-viewer-stage");
    const save = part("a", "wa-viewer-save", "Download"), shut = part("button", "wa-viewer-close", "Close");
    save.append(drawing("M12 4v11m-5-5 5 5 5-5M5 20h14"));
    shut.append(drawing("M6 6l12 12M18 6 6 18"));
    save.setAttribute("download", "");
    bar.append(part("span", "wa-viewer-info"), save, shut);
    const back = part("button", "wa-viewer-step", "Previous picture"), on = part("button", "wa-viewer-step", "Next picture");
    back.append(drawing("m15 5-7 7 7 7"));
    on.append(drawing("m9 5 7 7-7 7"));
    back.dataset.step = "-1";
    on.dataset.step = "1";
    back.dataset.repeat = on.dataset.repeat = "yes";
    stage.append(back, document.createElement("img"), on);
    box.append(bar, stage, part("div", "wa-viewer-text"));
    box.addEventListener("click", (event) => {
      const step = event.target.closest("[data-step]");
      if (step) show(at + Number(step.dataset.step));
      else if (event.target.closest(".wa-viewer-close") || event.target === stage || event.target === box) box.close();
    });
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();  // the page's own keys are for the page
      if (event.key === "ArrowLeft") show(at - 1);
      else if (event.key === "ArrowRight") show(at + 1);
    });
    box.addEventListener("close", () => { box.querySelector("img").removeAttribute("src"); if (before?.isConnected) before.focus(); });
    document.body.append(box);
  }

  function show(number) {
    const all = links();
    if (!all[number]) return;
    at = number;
    const link = all[number], bubble = link.closest(".wa-bubble"), picture = box.querySelector("img");
    picture.src = link.href;
    picture.alt = link.querySelector("img").alt;
    box.querySelector(".wa-viewer-save").href = link.href + "?download=true";
    const who = bubble?.querySelector(".wa-sender")?.textContent || (link.closest(".wa-mine") ? "You" : document.querySelector(".wa-head-name")?.textContent);
    const when = bubble?.querySelector("time");
    box.querySelector(".wa-viewer-info").textContent = [who, when?.title?.split("\n")[0] || when?.textContent, (number + 1) + " of " + all.length].filter(Boolean).join(" · ");
    box.querySelector(".wa-viewer-text").textContent = bubble?.querySelector(".wa-text")?.innerText || "";
    box.querySelector('[data-step="-1"]').hidden = number === 0;
    box.querySelector('[data-step="1"]').hidden = number === all.length - 1;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#inbox-thread a.wa-media-link");
    const number = link ? links().indexOf(link) : -1;
    if (number < 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!box) make();
    before = link;
    show(number);
    if (!box.open) box.showModal();
    box.querySelector(".wa-viewer-close").focus();
  });
})();
