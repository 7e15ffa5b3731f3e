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
