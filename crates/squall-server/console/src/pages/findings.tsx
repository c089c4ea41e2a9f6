// Findings, searched. Every condition is in the address, so that it can be
// kept and passed on.

import { useEffect, useRef } from "preact/hooks";
import { query } from "../api";
import { Filters, read, WholeNames } from "../filters";
import { useLive } from "../live";
import { usePages } from "../lists";
import { useSlow } from "../load";
import { FindingTable, Fresh, Problem } from "../parts";
import type { Route } from "../router";
import type { FindingRow } from "../types";

const PAGE = 50;
/** How often a search without a finding goes on by itself. */
const STEPS_MAX = 20;

export function Findings({ route }: { route: Route }) {
  const conditions = read(route);
  const search = query({ ...conditions });
  const { overview } = useLive();
  const stored = useSlow(overview?.findings?.stored ?? 0, 2000);
  const list = usePages<FindingRow>({
    path: "/api/v1/findings",
    key: "findings",
    parameters: conditions,
    size: PAGE,
    id: (row) => row.event_id,
    news: stored,
  });
  const { cursor, error, next } = list;
  const rows = list.rows ?? [];
  // A search for what few findings have comes in steps.
  const steps = useRef({ of: "", taken: 0 });
  if (steps.current.of !== search) steps.current = { of: search, taken: 0 };
  const goesOn = list.rows !== null && rows.length === 0 && cursor !== null && error === null && steps.current.taken < STEPS_MAX;
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
          {list.rows === null || goesOn ? "Searching…" : `${rows.length}${cursor === null ? "" : "+"} shown, newest first`}
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
      <Fresh list={list} />
      <Problem error={error} retry={list.reload} />
      {list.rows !== null && rows.length === 0 && !goesOn && (
        <div class="empty">
          <p>
            {search === ""
              ? "Nothing was found so far."
              : cursor === null
                ? "No finding meets all these conditions."
                : "None of the newest findings meets all these conditions; so few have them that it takes long to look."}
          </p>
          <WholeNames conditions={conditions} />
        </div>
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
