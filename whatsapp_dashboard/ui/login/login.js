// The form works without this script; with it, errors appear in place and the password stays typed in.
// Who sees this page has no session any more: drafts of the last one are gone.
try {
  for (const name of Object.keys(localStorage)) if (name.startsWith("wa.draft.")) localStorage.removeItem(name);
} catch {}
const form = document.getElementById("login"), error = document.getElementById("error");
const second = document.getElementById("second"), button = document.getElementById("submit");
let mode = "system";
try { mode = localStorage.getItem("theme") || "system"; } catch {}
const dark = mode === "dark" || (mode !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.classList.toggle("dark", dark);
document.documentElement.style.colorScheme = dark ? "dark" : "light";

function fail(text) { error.textContent = text; error.hidden = false; button.disabled = false; button.textContent = "Log in"; }

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  error.hidden = true; button.disabled = true; button.textContent = "Logging in…";
  const data = Object.fromEntries(new FormData(form));
  try {
    const answer = await fetch("/api/auth/login", { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: data.username, password: data.password, code: data.code || "" }) });
    if (answer.ok) { location.assign(data.next || "/"); return; }
    const problem = await answer.json();
    const wantsCode = problem.code === "totp_required" || problem.code === "totp_wrong";
    if (wantsCode) { second.hidden = false; }
    if (problem.code === "totp_required") {
      button.disabled = false; button.textContent = "Log in";
    } else { fail(problem.detail); }
    const focus = document.getElementById(wantsCode ? "code" : "password");
    focus.focus(); focus.select();
  } catch { fail("The dashboard does not answer. Check the connection and try again."); }
});

// Under a name that is not the dashboard's own every log-in would be refused: say so before anybody types.
const place = "/wrong-address?from=" + encodeURIComponent(location.origin);
fetch(place, { redirect: "manual" }).then((answer) => { if (answer.status === 421) location.replace(place); }).catch(() => {});
