// Long lists, page by page. Once further pages are open the list stands still,
// tells how much is new, and is there again for who comes back to it.

import { useEffect, useMemo, useState } from "preact/hooks";
import { type ApiError, asError, get, query } from "./api";
import { useLoad, useSlow } from "./load";
import { useKept } from "./router";

/** As many as the service gives at once. */
const ROWS_MAX = 1000;
/** How often a list that stands still is looked at again. */
const STILL_MS = 10_000;

export interface Pages<T> {
  rows: T[] | null;
  cursor: string | null;
  error: ApiError | null;
  loading: boolean;
  /** How many are new and not among the rows. */
  fresh: number;
  /** Whether there may be more of them than that. */
  freshMore: boolean;
  reload: () => void;
  next: () => void;
  /** Begins anew, with what is new. */
  show: () => void;
}

interface Opened<T> {
  of: string;
  rows: T[];
  cursor: string | null;
}

export interface List<T> {
  path: string;
  /** What the rows are called in an answer. */
  key: string;
  parameters: Record<string, string | undefined>;
  size: number;
  id: (row: T) => string;
  /** Another value when there may be something new. */
  news: unknown;
}

export function usePages<T>({ path, key, parameters, size, id, news }: List<T>): Pages<T> {
  const address = `${path}${query(parameters)}`;
  const [kept, keep] = useKept<Opened<T>>(path);
  const opened = kept?.of === address ? kept : null;
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => setError(null), [address]);
  // All that was open, when somebody comes back: what is known of it may have changed.
  const limit = useMemo(() => (opened === null ? size : Math.min(ROWS_MAX, opened.rows.length + size)), [address]);
  const seldom = useSlow(news, STILL_MS);
  const first = useLoad<Record<string, unknown>>(`${path}${query({ ...parameters, limit })}`, opened === null ? news : seldom);
  const begin = first.data === null ? null : (first.data[key] as T[]);
  const now = useMemo(() => new Map((begin ?? []).map((row) => [id(row), row])), [begin]);
  const rows = opened === null ? begin : opened.rows.map((row) => now.get(id(row)) ?? row);
  const cursor = opened === null ? ((first.data?.cursor as string | null | undefined) ?? null) : opened.cursor;
  const known = opened === null ? null : new Set(opened.rows.map(id));
  const fresh = known === null || begin === null ? [] : begin.filter((row) => !known.has(id(row)));
  const next = () => {
    setError(null);
    if (cursor === null) return;
    get<Record<string, unknown>>(`${path}${query({ ...parameters, limit: size, cursor })}`)
      .then((page) => {
        const before = rows ?? [];
        const have = new Set(before.map(id));
        const more = (page[key] as T[]).filter((row) => !have.has(id(row)));
        keep({ of: address, rows: [...before, ...more], cursor: page.cursor as string | null });
      })
      .catch((failed) => setError(asError(failed)));
  };
  return {
    rows,
    cursor,
    error: first.error ?? error,
    loading: first.loading,
    fresh: fresh.length,
    freshMore: fresh.length > 0 && fresh.length === begin?.length,
    reload: first.reload,
    next,
    show: () => keep(null),
  };
}
