// The frame of issuer.js: takes the badges from the page, opens a window where
// the person decides, and hands the decision back.
const show = (id) => {
  for (const s of document.querySelectorAll("[data-step]")) s.hidden = s.id !== id;
};
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
let page = null;
let origin = "";
let timer = 0;
const tell = (message) => parent.postMessage(message, origin || "*");

addEventListener("message", (e) => {
  if (e.source !== parent || page || !e.data || e.data.openbadges !== "issue") return;
  page = e.data;
  origin = e.origin;
  const n = page.assertions.length;
  for (const s of document.querySelectorAll("[data-count]")) s.hidden = s.dataset.count !== (n === 1 ? "one" : "other");
  for (const s of document.querySelectorAll("[data-n]")) s.textContent = String(n);
  show("welcome");
});

const ask = async (ticket) => {
  const res = await fetch("/issuer/ticket/" + ticket, { cache: "no-store" }).catch(() => null);
  if (!res || !res.ok) return;
  const t = await res.json();
  if (!t.done) return;
  clearInterval(timer);
  show("farewell");
  tell({ openbadges: "done", errors: t.errors, successes: t.successes });
};

document.getElementById("send").addEventListener("click", () => {
  const ticket = random();
  const form = document.getElementById("out");
  form.replaceChildren();
  const add = (name, value) => {
    const i = document.createElement("input");
    i.type = "hidden";
    i.name = name;
    i.value = value;
    form.append(i);
  };
  for (const a of page.assertions) add("assertions", a);
  add("ticket", ticket);
  add("page", page.page);
  form.submit();
  show("waiting");
  clearInterval(timer);
  timer = setInterval(() => ask(ticket), 1000);
});
for (const b of document.querySelectorAll("[data-close]")) b.addEventListener("click", () => tell({ openbadges: "close" }));
parent.postMessage({ openbadges: "ready" }, "*");
