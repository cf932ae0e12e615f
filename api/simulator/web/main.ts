// The browser side of the page. Everything works without it; with it results follow the fields, the address
// bar always holds the link to what is shown, and links can be copied.

import "./style.scss";

const typingPauseMS = 350;

const form = document.querySelector<HTMLFormElement>("#question");
const status = document.querySelector<HTMLElement>("#status");
let pending: AbortController | undefined;
let timer: number | undefined;

if (form && status) live(form, status);
finish();

function live(form: HTMLFormElement, status: HTMLElement): void {
  // What was typed before the script was there, or brought back by the browser, counts too.
  const texts = form.querySelectorAll<HTMLInputElement>("input[type=text]");
  if ([...texts].some((field) => field.value !== field.defaultValue)) void ask(questionOf(form), status);
  form.addEventListener("input", (event) => {
    const typed = event.target instanceof HTMLInputElement && event.target.type === "text";
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void ask(questionOf(form), status), typed ? typingPauseMS : 0);
    if (event.target instanceof HTMLInputElement && event.target.name === "ec") void suggest(event.target);
  });
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button instanceof HTMLButtonElement && button.name !== "") return; // the number of notices changes: a new page
    event.preventDefault();
    window.clearTimeout(timer);
    void ask(questionOf(form), status).then(() => document.querySelector<HTMLElement>("#answer")?.focus());
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-live]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    keepField(form, "sort", new URL(link.href).searchParams.getAll("sort"));
    void ask(new URL(link.href).searchParams, status);
  });
  document.addEventListener("submit", (event) => {
    const part = event.target;
    if (!(part instanceof HTMLFormElement) || !part.hasAttribute("data-live")) return;
    event.preventDefault();
    const question = questionOf(part);
    keepField(form, "chart", question.getAll("chart"));
    void ask(question, status);
  });
}

// questionOf returns what a form would send, without empty fields that say nothing by their place.
function questionOf(form: HTMLFormElement): URLSearchParams {
  const question = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && (value !== "" || ["euro", "ec", "service", "amount"].includes(name))) question.append(name, value);
  }
  return question;
}

// keepField makes the main form send a parameter that was chosen beside it.
function keepField(form: HTMLFormElement, name: string, values: string[]): void {
  form.querySelectorAll(`input[type=hidden][name=${name}]`).forEach((field) => field.remove());
  for (const value of values) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  }
}

// ask shows the answer to a question. A later question overtakes an earlier one.
async function ask(question: URLSearchParams, status: HTMLElement): Promise<void> {
  pending?.abort();
  pending = new AbortController();
  const answer = document.querySelector<HTMLElement>("#answer");
  if (!answer) return;
  answer.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`/results?${question}`, { headers: { Accept: "text/html" }, signal: pending.signal });
    if (!response.ok && response.status !== 422) {
      window.location.assign(`/?${question}`); // the server's own page says what is wrong
      return;
    }
    show(answer, await response.text(), status);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) window.location.assign(`/?${question}`);
  }
}

// show puts a rendered answer in the place of the present one and keeps the keyboard where it was.
function show(answer: HTMLElement, html: string, status: HTMLElement): void {
  const next = new DOMParser().parseFromString(html, "text/html").querySelector<HTMLElement>("#answer");
  if (!next) return;
  const focused = answer.contains(document.activeElement) ? document.activeElement?.id : "";
  const open = [...answer.querySelectorAll<HTMLDetailsElement>("details[open][id]")].map((details) => details.id);
  answer.replaceWith(next);
  for (const id of open) next.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  const invalid = (next.dataset["invalid"] ?? "").split(" ");
  for (const field of document.querySelectorAll("#question input, #question select")) {
    if (invalid.includes(field.id)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  document.querySelectorAll("#question .fault").forEach((fault) => fault.remove());
  if (next.dataset["url"] && invalid.every((id) => id === "")) {
    window.history.replaceState(null, "", next.dataset["url"]);
    relinkLanguages(next.dataset["url"]);
  }
  status.textContent = next.dataset["status"] ?? "";
  finish();
}

// relinkLanguages makes the other languages show the present question.
function relinkLanguages(url: string): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".languages a")) {
    const other = new URL(url, window.location.href);
    other.searchParams.set("lang", link.lang);
    link.href = other.pathname + other.search;
  }
}

// suggest fills the list of ECs with those that have what was typed.
async function suggest(field: HTMLInputElement): Promise<void> {
  const list = document.querySelector("#ecs");
  if (!list || field.value.trim().length < 3) return;
  const response = await fetch(`/creditor-institutions.json?${new URLSearchParams({ q: field.value })}`).catch(() => null);
  if (!response?.ok) return;
  const found = (await response.json()) as { label: string }[];
  const known = new Set([...list.querySelectorAll("option")].map((option) => option.value));
  for (const { label } of found) {
    if (known.has(label)) continue;
    const option = document.createElement("option");
    option.value = label;
    list.append(option);
  }
}

// finish brings the buttons to life that need a script.
function finish(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-print]")) {
    button.hidden = false;
    button.onclick = () => window.print();
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.onclick = async () => {
      await navigator.clipboard.writeText(window.location.href);
      const done = button.dataset["done"] ?? "";
      button.textContent = done;
      if (status) status.textContent = done;
    };
  }
}

