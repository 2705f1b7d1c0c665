// Files for the knowledge base: chosen or dropped, sent one after the other with their progress. Names and errors are only ever written as text.
(() => {
  if (window.waKnowledge) return;
  window.waKnowledge = true;
  const list = () => document.getElementById("knowledge-uploads");
  const zone = (target) => target instanceof Element && target.closest("#knowledge-drop");
  let waiting = Promise.resolve();

  function line(file) {
    const row = document.createElement("li"), name = document.createElement("span"), bar = document.createElement("progress"), said = document.createElement("span");
    name.textContent = file.name;
    name.title = file.name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", "Progress of " + file.name);
    said.setAttribute("role", "status");
    row.append(name, bar, said);
    list()?.append(row);
    return { row, bar, said };
  }

  function send(file) {
    const { row, bar, said } = line(file);
    return () => new Promise((done) => {
      const request = new XMLHttpRequest(), form = new FormData();
      form.append("file", file, file.name);
      request.open("POST", "/api/knowledge/documents/upload");
      request.setRequestHeader("X-Requested-With", "knowledge");
      request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
      request.onloadend = () => {
        let words = "";
        if (request.status === 201) words = "Added";
        else { try { words = JSON.parse(request.responseText).detail; } catch { words = ""; } }
        said.textContent = words || "The connection broke; choose the file again.";
        row.dataset.state = request.status === 201 ? "done" : "failed";
        bar.value = 1;
        done();
      };
      request.send(form);
    });
  }

  function take(files) {
    for (const file of files) waiting = waiting.then(send(file));
  }

  document.addEventListener("change", (event) => {
    if (event.target.id !== "knowledge-files") return;
    take(event.target.files);
    event.target.value = "";
  });
  document.addEventListener("dragover", (event) => {
    if (!zone(event.target)) return;
    event.preventDefault();
    zone(event.target).classList.add("wa-dropping");
  });
  document.addEventListener("dragleave", (event) => { zone(event.target)?.classList.remove("wa-dropping"); });
  document.addEventListener("drop", (event) => {
    if (!zone(event.target)) return;
    event.preventDefault();
    zone(event.target).classList.remove("wa-dropping");
    take(event.dataTransfer.files);
  });
})();
