// Where in the console we are, from the part of the address behind `#`: it
// never leaves the browser, and every page of the console is one file.

import { useEffect, useState } from "preact/hooks";

/** Places in the history of which something is kept. */
const KEPT_MAX = 50;

export interface Route {
  /** The parts of the path, decoded. */
  path: string[];
  parameters: Record<string, string>;
  /** The place in the history of the tab: that of a page somebody comes back to is the one it had. */
  entry: string;
  /** Whether somebody came back to it, or went forward again. */
  again: boolean;
}

/** No two loads of the page name a place alike: the history outlives them. */
const load = Date.now().toString(36);
let entries = 0;

function hasEntry(): boolean {
  return typeof (history.state as { entry?: unknown } | null)?.entry === "string";
}

/** Names the place in the history where the tab is. */
function entry(): string {
  if (!hasEntry()) {
    entries += 1;
    history.replaceState({ entry: `${load}-${entries}` }, "");
  }
  return (history.state as { entry: string }).entry;
}

function parse(hash: string): Pick<Route, "path" | "parameters"> {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    parameters: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** Writes the address of a page. */
export function to(path: string[], parameters: Record<string, string> = {}): string {
  const search = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "")).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

export function go(address: string, replace = false): void {
  if (replace) {
    history.replaceState(history.state, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}

// The browser would go back to where the page was before there is anything on it.
history.scrollRestoration = "manual";

let shown = { hash: location.hash, entry: entry(), again: false };
const scrolled = new Map<string, number>();

export function useRoute(): Route {
  const [now, setNow] = useState(() => {
    // Nobody listened while somebody logged in.
    if (shown.hash !== location.hash) shown = { hash: location.hash, entry: entry(), again: false };
    return shown;
  });
  useEffect(() => {
    const changed = () => {
      // What is on the screen still is the page before.
      remember(scrolled, shown.entry, scrollY);
      const again = hasEntry() && history.state.entry !== shown.entry;
      shown = { hash: location.hash, entry: entry(), again };
      setNow(shown);
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return { ...parse(now.hash), entry: now.entry, again: now.again };
}

/** Scrolls to where a page was when it was left, once it is long enough, unless its reader does something first; returns what ends that. */
export function scrollBack(entry: string): () => void {
  const top = scrolled.get(entry) ?? 0;
  const end = () => {
    watch.disconnect();
    clearTimeout(timer);
    for (const kind of MEANT) removeEventListener(kind, end);
  };
  const go = () => {
    scrollTo(0, top);
    if (Math.abs(scrollY - top) < 2) end();
  };
  const watch = new ResizeObserver(go);
  const timer = setTimeout(end, SCROLL_MS);
  for (const kind of MEANT) addEventListener(kind, end, { passive: true });
  watch.observe(document.body);
  go();
  return end;
}

/** How long a page has to be there. */
const SCROLL_MS = 5000;
/** What a reader does who wants to be elsewhere. */
const MEANT = ["wheel", "keydown", "pointerdown", "touchstart"];

const kept = new Map<string, unknown>();

/** What a page keeps for who comes back to it, while the tab lives. */
export function useKept<T>(name: string): [T | null, (value: T | null) => void] {
  const [, redraw] = useState(0);
  const key = `${shown.entry} ${name}`;
  const keep = (value: T | null) => {
    remember(kept, key, value);
    redraw((n) => n + 1);
  };
  return [(kept.get(key) as T | undefined) ?? null, keep];
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT_MAX && oldest !== undefined) map.delete(oldest);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
