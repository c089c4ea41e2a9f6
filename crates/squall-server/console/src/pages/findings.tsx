// Findings, searched. Every condition is in the address, so that it can be
// kept and passed on.

import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, get, query } from "../api";
import { Filters, read } from "../filters";
import { useLive } from "../live";
import { useLoad, useSlow } from "../load";
import { FindingTable, Problem } from "../parts";
import type { Route } from "../router";
import type { FindingPage, FindingRow } from "../types";

const PAGE = 50;
/** How often a search without a finding goes on by itself. */
const STEPS_MAX = 20;

export function Findings({ route }: { route: Route }) {
  const conditions = read(route);
  const search = query({ ...conditions });
  const { overview } = useLive();
  const stored = useSlow(overview?.findings?.stored ?? 0, 2000);
  const [more, setMore] = useState<{ of: string; rows: FindingRow[]; cursor: string | null } | null>(null);
  const appended = more !== null && more.of === search ? more : null;
  // Once further pages are open the list stays as it is.
  const first = useLoad<FindingPage>(
    `/api/v1/findings${query({ ...conditions, limit: PAGE })}`,
    appended === null ? stored : null,
  );
  const [error, setError] = useState<ApiError | null>(null);
  const rows = [...(first.data?.findings ?? []), ...(appended?.rows ?? [])];
  const cursor = appended === null ? (first.data?.cursor ?? null) : appended.cursor;
  const next = () => {
    setError(null);
    if (cursor === null) return;
    get<FindingPage>(`/api/v1/findings${query({ ...conditions, limit: PAGE, cursor })}`)
      .then((page) =>
        setMore({ of: search, rows: [...(appended?.rows ?? []), ...page.findings], cursor: page.cursor }),
      )
      .catch(setError);
  };
  // A search for what few findings have comes in steps.
  const steps = useRef({ of: "", taken: 0 });
  if (steps.current.of !== search) steps.current = { of: search, taken: 0 };
  const goesOn = first.data !== null && rows.length === 0 && cursor !== null && error === null && steps.current.taken < STEPS_MAX;
  useEffect(() => {
    if (!goesOn) return;
    steps.current.taken += 1;
    next();
  }, [goesOn, cursor]);
  return (
    <>
      <Filters conditions={conditions} />
      <div class="list-head">
        <p class="muted" role="status">
          {(first.loading && first.data === null) || goesOn ? "Searching…" : `${rows.length}${cursor === null ? "" : "+"} shown, newest first`}
        </p>
        <div class="actions">
          <a class="button" href={`/api/v1/findings/export${query({ ...conditions, format: "jsonl" })}`} download>
            Export JSON lines
          </a>
          <a class="button" href={`/api/v1/findings/export${query({ ...conditions, format: "csv" })}`} download>
            Export CSV
          </a>
        </div>
      </div>
      <Problem error={first.error ?? error} retry={first.reload} />
      {first.data !== null && rows.length === 0 && !goesOn && (
        <p class="empty">
          {search === ""
            ? "Nothing was found so far."
            : cursor === null
              ? "No finding meets all these conditions."
              : "None of the newest findings meets all these conditions; so few have them that it takes long to look."}
        </p>
      )}
      {rows.length > 0 && <FindingTable rows={rows} caption="Findings, newest first" />}
      {cursor !== null && !goesOn && (
        <p class="more">
          <button type="button" onClick={next}>
            {rows.length === 0 ? "Search the older ones" : "Show more"}
          </button>
        </p>
      )}
    </>
  );
}
