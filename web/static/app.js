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
