// Comfort only: every page works without this file.
document.querySelectorAll("[data-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.copy);
  if (!field || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    field.select();
    const status = document.getElementById(button.dataset.copy + "-said");
    if (status) status.textContent = button.dataset.done;
  });
});
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
const lang = document.documentElement.lang;
const locale = navigator.languages.find((l) => l.split("-")[0] === lang) || lang;
document.querySelectorAll("time[data-clock]").forEach((t) => {
  const at = new Date(t.dateTime);
  if (isNaN(at)) return;
  const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  t.title = t.textContent + " UTC";
  t.textContent = at.toLocaleString(locale, { day: "numeric", month: "short", year, hour: "2-digit", minute: "2-digit" });
});
document.querySelectorAll("form[data-drop]").forEach((form) => {
  const field = document.getElementById(form.dataset.drop);
  const hint = form.querySelector("[data-drop-hint]");
  if (!field) return;
  if (hint) hint.hidden = false;
  const over = (on) => (event) => {
    if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("dropping", on);
  };
  ["dragenter", "dragover"].forEach((name) => form.addEventListener(name, over(true)));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length) {
      field.files = event.dataTransfer.files;
      field.focus();
    }
  });
});
document.querySelectorAll("form[data-arrange]").forEach((form) => {
  const list = form.querySelector("ol");
  const status = form.querySelector("[data-arrange-status]");
  const hint = form.querySelector("[data-arrange-hint]");
  let dragged = null;
  if (hint) hint.hidden = false;
  // The arrows of the ends are only in the page that the server makes: after a
  // drag it is asked for the page anew, so that they fit.
  const keep = async () => {
    const body = new FormData(form);
    body.set("do", "order");
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(body), headers: { "X-Arrange": "1" } }).catch(() => null);
    status.textContent = answer && answer.ok ? form.dataset.said : form.dataset.failed;
    if (answer && answer.ok) location.reload();
  };
  list.querySelectorAll("li").forEach((row) => {
    const grip = row.querySelector(".grip");
    grip.hidden = false;
    // Only the grip drags: text in the row stays selectable.
    grip.addEventListener("pointerdown", () => { row.draggable = true; });
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      row.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged || dragged === row) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      row.parentNode.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? row : row.nextSibling);
    });
    row.addEventListener("drop", (event) => event.preventDefault());
    row.addEventListener("dragend", () => {
      row.draggable = false;
      row.classList.remove("dragged");
      if (dragged) keep();
      dragged = null;
    });
  });
});
// Work that goes on is looked at again, but not while somebody is at something
// on the page: it would take the focus, a selection and opened parts from them.
const again = 1000 * document.body.dataset.refresh;
const atRest = () => [null, document.body, document.getElementById("main")].includes(document.activeElement) &&
  getSelection().isCollapsed && !document.querySelector("details[open]") && !document.hidden;
if (again) setInterval(() => { if (atRest()) location.reload(); }, again);
