// Loading what a page shows.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get } from "./api";

export interface Loaded<T> {
  data: T | null;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
}

/** Loads a path, again when it changes, when `version` does, or when asked to. What was there stays meanwhile, unless it was of another path. */
export function useLoad<T>(path: string, version: unknown = null): Loaded<T> {
  const [state, setState] = useState<{ path: string; data: T | null; error: ApiError | null; loading: boolean }>({
    path,
    data: null,
    error: null,
    loading: true,
  });
  const [asked, setAsked] = useState(0);
  const running = useRef<AbortController | null>(null);
  useEffect(() => {
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    setState((before) =>
      before.path === path ? { ...before, loading: true } : { path, data: null, error: null, loading: true },
    );
    get<T>(path, abort.signal)
      .then((data) => setState({ path, data, error: null, loading: false }))
      .catch((error) => {
        if (abort.signal.aborted) return;
        const shown = error instanceof ApiError ? error : new ApiError(0, String(error));
        setState((before) => ({ ...before, error: shown, loading: false }));
      });
    return () => abort.abort();
  }, [path, version, asked]);
  const reload = useCallback(() => setAsked((n) => n + 1), []);
  const own = state.path === path;
  return { data: own ? state.data : null, error: own ? state.error : null, loading: !own || state.loading, reload };
}

/** Returns the value, changing at most once in `ms`. */
export function useSlow<T>(value: T, ms: number): T {
  const [shown, setShown] = useState(value);
  const since = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, since.current + ms - Date.now());
    const timer = setTimeout(() => {
      since.current = Date.now();
      setShown(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return shown;
}

/** Returns the time, again every few seconds while somebody sees the page. */
export function useNow(ms = 5000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
