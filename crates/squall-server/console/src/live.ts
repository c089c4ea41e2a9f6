// The state of the service: told by the service every second, or asked for
// where a proxy in between or too many listeners prevent that.

import { useEffect, useState } from "preact/hooks";
import { get } from "./api";
import type { Overview } from "./types";

export interface Live {
  overview: Overview | null;
  /** How it is known: `connecting`, told (`live`), asked for (`polling`), or not at all (`lost`). */
  state: "connecting" | "live" | "polling" | "lost";
}

const POLL_MS = 3000;
/** Without an event for that long, something in between keeps them. */
const SILENCE_MS = 8000;
/** When to try again to be told. */
const RETRY_MS = 5000;

let current: Live = { overview: null, state: "connecting" };
const listeners = new Set<(live: Live) => void>();

function tell(live: Live): void {
  current = live;
  for (const listener of listeners) listener(live);
}

let source: EventSource | null = null;
let poller: number | undefined;
let watchdog: number | undefined;

function listen(): void {
  const opened = new EventSource("/api/v1/events");
  source = opened;
  const fall = () => {
    if (source !== opened) return;
    opened.close();
    source = null;
    clearTimeout(watchdog);
    setTimeout(listen, RETRY_MS);
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
  get<Overview>("/api/v1/overview")
    .then((overview) => ({ overview, state: "polling" }) as const)
    .catch(() => ({ overview: current.overview, state: "lost" }) as const)
    .then((live) => {
      if (current.state === "live") return;
      tell(live);
      poller = window.setTimeout(poll, POLL_MS);
    });
}

let begun = false;

/** Begins, unless it has begun. */
export function start(): void {
  if (begun) return;
  begun = true;
  listen();
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
