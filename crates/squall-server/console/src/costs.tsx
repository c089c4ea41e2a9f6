// The rules that cost most time: measured once the service has nothing else to
// do, or on request.

import { useEffect, useState } from "preact/hooks";
import { ApiError, post } from "./api";
import { bytes, count, microseconds, milliseconds } from "./format";
import { useLoad, useNow } from "./load";
import { Card, Problem, When } from "./parts";
import { to } from "./router";
import { useRights } from "./session";
import { Text } from "./text";
import type { RuleCost, RuleCosts } from "./types";

/** How often it is asked how far a measurement is. */
const ASK_MS = 500;

/** How often it is looked whether the service measured by itself. */
const LOOK_MS = 10_000;

export function Costs({ version }: { version: string }) {
  const [asked, setAsked] = useState(0);
  const { analyst } = useRights();
  const looked = Math.floor(useNow(LOOK_MS) / LOOK_MS);
  const { data, error, reload } = useLoad<RuleCosts>("/api/v1/signatures/costs", `${asked}/${looked}/${version}`);
  const [failed, setFailed] = useState<ApiError | null>(null);
  const running = data?.running ?? false;
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setAsked((n) => n + 1), ASK_MS);
    return () => clearInterval(timer);
  }, [running]);
  const measure = () => {
    setFailed(null);
    post("/api/v1/signatures/costs")
      .catch((error) => setFailed(error instanceof ApiError ? error : new ApiError(0, String(error))))
      .finally(reload);
  };
  const measured = data?.measured ?? null;
  return (
    <Card
      title="Most expensive rules"
      id="costs"
      actions={
        analyst && (
          <button type="button" disabled={running} onClick={measure}>
            {running ? "Measuring…" : "Measure"}
          </button>
        )
      }
    >
      <Problem error={error} retry={reload} />
      <Problem error={failed} />
      {data?.error && (
        <p class="bad">
          <Text>{data.error}</Text>
        </p>
      )}
      {data !== null && running && (
        <p role="status">
          <progress max={data.files_total || 1} value={data.files_done} aria-label="Files measured" /> {count(data.files_done)} of{" "}
          {count(data.files_total)} files
        </p>
      )}
      {data !== null && measured === null && !running && (
        <p class="muted">
          Not measured since the start. {data.samples_available === 0
            ? "Once samples were scanned, the rules are timed with them, as soon as nothing else is to be done."
            : `The rules are timed with ${count(data.samples_available)} sample${data.samples_available === 1 ? "" : "s"} of lately, as soon as nothing else is to be done.`}
        </p>
      )}
      {measured !== null && (
        <>
          {measured.of_older_set && (
            <p class="problem" role="note" data-note="older-set">
              These are the times of a set that is not in force any more. They are measured again as soon as nothing else is to be done.
            </p>
          )}
          <CostTable rows={measured.rules} />
          <p class="sub">
            Measured <When>{measured.at}</When> with {count(measured.samples)} sample{measured.samples === 1 ? "" : "s"} of lately (
            {bytes(measured.bytes)}), in {milliseconds(measured.duration_milliseconds)}. A sample takes {microseconds(measured.base_microseconds)} without any
            rule; each rule alone adds what is shown. Together rules share work and cost less than the sum.
          </p>
        </>
      )}
    </Card>
  );
}

function CostTable({ rows }: { rows: RuleCost[] }) {
  const most = Math.max(...rows.map((row) => row.microseconds), 1);
  return (
    <div class="scroll">
      <table class="stacked costs">
        <caption class="off-screen">The ten most expensive rules</caption>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col" class="number">
              Time per sample
            </th>
            <th scope="col" class="number">
              Findings
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.file} ${row.rule}`}>
              <td class="strong">
                <a href={to(["signatures"], { q: row.rule ?? "" })} title="Show the rule">
                  <Text max={120}>{row.rule ?? ""}</Text>
                </a>
                <div class="sub">
                  <Text max={200}>{row.file}</Text>
                </div>
              </td>
              <td class="number" data-name="Time per sample">
                {microseconds(row.microseconds)} <meter min={0} max={most} value={row.microseconds} aria-hidden="true" />
              </td>
              <td class="number" data-name="Findings">
                {row.hits === null ? "–" : row.hits === 0 ? "0" : <a href={to(["findings"], { rule: row.rule ?? "" })}>{count(row.hits)}</a>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
