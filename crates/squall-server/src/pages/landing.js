// Fills the landing page with the service's figures. Everything the service
// says is written as text, never as markup.
"use strict";

const REFRESH_MS = 2000;
// Static facts change when new signatures are loaded.
const INFO_EVERY = 5;

const number = new Intl.NumberFormat("en");

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min`;
  return `${seconds} s`;
}

function shown(value, unit) {
  if (typeof value !== "number") return value ? String(value) : "–";
  if (unit === "duration") return duration(value);
  if (unit === "ms") return `${number.format(value)} ms`;
  return number.format(value);
}

function fill(attribute, values) {
  for (const element of document.querySelectorAll(`[data-${attribute}]`)) {
    const text = shown(values[element.dataset[attribute]], element.dataset.unit);
    if (element.textContent !== text) element.textContent = text;
  }
}

function health(state, text) {
  const element = document.getElementById("health");
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.textContent = text;
}

async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(10000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

let loaded = false;

async function refresh(round) {
  try {
    if (!loaded || round % INFO_EVERY === 0) {
      const info = await ask("/api/info");
      loaded = Boolean(info.signature_version);
      document.getElementById("version").textContent = info.thor_version;
      fill("info", loaded ? info : { yara_version: "loading", threads: info.threads });
    }
    fill("status", await ask("/api/status"));
    if (loaded) health("ready", "ready");
    else health("loading", "loading signatures");
  } catch {
    health("lost", "not reachable");
    loaded = false;
  }
  setTimeout(refresh, REFRESH_MS, round + 1);
}

async function copy(button) {
  const note = document.getElementById("copied");
  const code = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(code.textContent);
    note.textContent = "Copied.";
  } catch {
    // The clipboard needs HTTPS or this machine; selecting works everywhere.
    getSelection().selectAllChildren(code);
    note.textContent = "Selected; copy it with your keyboard.";
  }
}

for (const code of document.querySelectorAll("pre code")) {
  code.textContent = code.textContent.replace("http://HOST:PORT", location.origin);
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
}
refresh(0);
