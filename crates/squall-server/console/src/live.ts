// The state of the service: told by the service every second, or asked for
// where a proxy in between or too many listeners prevent that.
//
// A browser opens six connections to a service at most, for all its tabs. So of
// the tabs that are seen only one listens, and tells the others; the locks of
// browsers would say which, but on plain HTTP there are none.

import { useEffect, useState } from "preact/hooks";
import { get } from "./api";
import type { Overview } from "./types";

export interface Live {
  overview: Overview | null;
  /** How it is known: `connecting`, told (`live`), asked for (`polling`), or not at all (`lost`). */
  state: "connecting" | "live" | "polling" | "lost";
}

type Message = { kind: "state"; from: string; live: Live } | { kind: "lead"; from: string } | { kind: "ask" } | { kind: "bye" };

const POLL_MS = 3000;
/** Without an event for that long, something in between keeps them. */
const SILENCE_MS = 8000;
/** When to try again to be told. */
const RETRY_MS = 5000;
/** How long another tab has for an answer. */
const ANSWER_MS = 120;

let current: Live = { overview: null, state: "connecting" };
const listeners = new Set<(live: Live) => void>();

function show(live: Live): void {
  current = live;
  for (const listener of listeners) listener(live);
}

/** Of two tabs that both listen, the one with the smaller name goes on. */
const own = `${Date.now()}-${Math.random()}`;
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("squall.live");
let leads = false;

function say(message: Message): void {
  channel?.postMessage(message);
}

/** What this tab found out, for all. */
function tell(live: Live): void {
  show(live);
  say({ kind: "state", from: own, live });
}

// ---- as the tab that listens

let source: EventSource | null = null;
let retry: number | undefined;
let poller: number | undefined;
let watchdog: number | undefined;

function lead(): void {
  if (leads || document.hidden) return;
  leads = true;
  clearTimeout(successor);
  // What another tab found out tells nothing of this one's way to the service.
  current = { ...current, state: "connecting" };
  say({ kind: "lead", from: own });
  listen();
}

function resign(): void {
  if (!leads) return;
  leads = false;
  source?.close();
  source = null;
  clearTimeout(retry);
  clearTimeout(poller);
  clearTimeout(watchdog);
}

function listen(): void {
  const opened = new EventSource("/api/v1/events");
  source = opened;
  const fall = () => {
    if (source !== opened) return;
    opened.close();
    source = null;
    clearTimeout(watchdog);
    retry = window.setTimeout(listen, RETRY_MS);
    if (current.state === "live" || current.state === "connecting") {
      current = { ...current, state: "polling" };
      poll();
    }
  };
  const watch = () => {
    clearTimeout(watchdog);
    watchdog = window.setTimeout(fall, SILENCE_MS);
  };
  watch();
  opened.addEventListener("overview", (event) => {
    watch();
    clearTimeout(poller);
    tell({ overview: JSON.parse((event as MessageEvent<string>).data), state: "live" });
  });
  opened.onerror = fall;
}

function poll(): void {
  clearTimeout(poller);
  get<Overview>("/api/v1/overview")
    .then((overview) => ({ overview, state: "polling" }) as const)
    .catch(() => ({ overview: current.overview, state: "lost" }) as const)
    .then((live) => {
      if (!leads || current.state === "live") return;
      tell(live);
      poller = window.setTimeout(poll, POLL_MS);
    });
}

// ---- as one that is told

let successor: number | undefined;

/** Listens unless another tab is heard of within that time. */
function leadAfter(ms: number): void {
  clearTimeout(successor);
  successor = window.setTimeout(lead, ms + Math.random() * ANSWER_MS);
}

function hear(message: Message): void {
  switch (message.kind) {
    case "lead":
    case "state":
      if (leads && own < message.from) {
        say({ kind: "lead", from: own });
        return;
      }
      resign();
      if (message.kind === "state") show(message.live);
      leadAfter(SILENCE_MS);
      return;
    case "ask":
      if (leads && current.overview !== null) tell(current);
      return;
    case "bye":
      if (!leads) leadAfter(0);
  }
}

function look(): void {
  say({ kind: "ask" });
  leadAfter(channel === null ? 0 : ANSWER_MS);
}

/** A tab that nobody sees leaves the connection to others. */
function leave(): void {
  clearTimeout(successor);
  if (!leads) return;
  resign();
  say({ kind: "bye" });
}

let begun = false;

/** Begins, unless it has begun. */
export function start(): void {
  if (begun) return;
  begun = true;
  channel?.addEventListener("message", (event) => hear((event as MessageEvent<Message>).data));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && look());
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : look()));
  if (!document.hidden) look();
}

export function useLive(): Live {
  const [live, setLive] = useState(current);
  useEffect(() => {
    listeners.add(setLive);
    setLive(current);
    return () => {
      listeners.delete(setLive);
    };
  }, []);
  return live;
}
