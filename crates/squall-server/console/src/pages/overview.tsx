// How busy the service is, and what it found last.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Chart, type Series } from "../chart";
import { bytes, count, duration, milliseconds } from "../format";
import { useLive } from "../live";
import { useLoad, useNow, useSlow } from "../load";
import { Card, Command, FindingTable, Problem } from "../parts";
import { to } from "../router";
import { Text } from "../text";
import type { FindingHistory, FindingPage, Overview as State } from "../types";

const MINUTES = 60;

export function Overview() {
  const { overview, state } = useLive();
  if (overview === null) {
    return state === "lost" ? (
      <div class="problem" role="alert">
        The service does not answer.
      </div>
    ) : (
      <p class="muted">Loading…</p>
    );
  }
  return (
    <>
      {overview.samples.accepted === 0 && <FirstSteps />}
      <Tiles overview={overview} />
      <Warnings overview={overview} />
      <Charts overview={overview} />
      {overview.findings !== null && <Latest stored={overview.findings.stored} />}
    </>
  );
}

function FirstSteps() {
  const origin = location.origin;
  return (
    <Card title="No sample has come in yet" id="first" class="first">
      <p>
        <a class="button primary" href={to(["submit"])}>
          Send a file from this browser
        </a>
      </p>
      <p>Or from a command line, and wait for the findings:</p>
      <Command label="the curl command" text={`curl -F file=@suspicious.exe '${origin}/api/check?pretty=true'`} />
      <p>To collect from many hosts, point a Thunderstorm collector here; each is listed under Sources as soon as it sends:</p>
      <Command label="the queueing curl command" text={`curl -F file=@suspicious.exe '${origin}/api/checkAsync?source=web-01'`} />
    </Card>
  );
}

function Tiles({ overview }: { overview: State }) {
  const { samples, storage, signatures } = overview;
  const uptime = (new Date(overview.time).getTime() - new Date(overview.started_at).getTime()) / 1000;
  return (
    <dl class="tiles" aria-label="State of the service">
      <Tile name="In the queue" value={count(samples.queued + samples.checks_waiting)} id="queued">
        {samples.oldest_waiting_seconds === null ? "nothing waits" : `oldest ${duration(samples.oldest_waiting_seconds)}`}
      </Tile>
      <Tile name="Scanned" value={count(samples.scanned)} id="scanned">
        {samples.rate_per_second.toFixed(samples.rate_per_second < 10 ? 1 : 0)} per second
      </Tile>
      <Tile name="Findings kept" value={overview.findings === null ? "–" : count(overview.findings.stored)} id="stored">
        {overview.findings === null ? "none are kept" : overview.findings.behind ? "catching up" : "up to date"}
      </Tile>
      <Tile name="Threads busy" value={`${overview.workers_busy} of ${overview.workers}`} id="workers">
        up for {duration(uptime)}
      </Tile>
      <Tile name="Scan time p95" value={milliseconds(overview.scan_time.p95_milliseconds)} id="p95">
        last 1,000 scans; average of all <span data-value="average">{milliseconds(overview.scan_time.average_milliseconds)}</span>
      </Tile>
      <Tile name="Refused" value={count(samples.denied)} id="denied">
        {samples.denied === 0 ? "none ever" : "limit reached; told to come back"}
      </Tile>
      <Tile name="Not scannable" value={count(samples.failed)} id="failed">
        {samples.failed === 0 ? "none" : <a href={to(["system"])}>show them</a>}
      </Tile>
      <Tile name="Disk free" value={storage.free_bytes === null ? "–" : bytes(storage.free_bytes)} id="disk">
        spool {bytes(storage.spool_bytes)}
      </Tile>
      <Tile name="Signatures" value={signatures === null ? "loading" : count(signatures.rules)} unit={signatures === null ? "" : " rules"} id="signatures">
        {signatures === null ? (
          "checks wait"
        ) : (
          <a href={to(["signatures"])}>
            {count(signatures.iocs)} IOCs{signatures.age_seconds !== null && `, ${duration(signatures.age_seconds)} old`}
            <span class="sub" data-value="version">
              <Text max={40}>{signatures.version}</Text>
            </span>
          </a>
        )}
      </Tile>
    </dl>
  );
}

function Tile({ name, value, unit = "", id, children }: { name: string; value: string; unit?: string; id: string; children: ComponentChildren }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="value" data-value={id}>
          {value}
          {unit !== "" && <span class="unit">{unit}</span>}
        </span>
        <span class="sub">{children}</span>
      </dd>
    </div>
  );
}

function Warnings({ overview }: { overview: State }) {
  const problems: string[] = [];
  if (!overview.storage.ok) problems.push("The disk refuses samples; senders are told to come back.");
  if (overview.signatures !== null && overview.signatures.skipped > 0) {
    problems.push(`${count(overview.signatures.skipped)} signatures could not be used; see Signatures.`);
  }
  if (problems.length === 0) return null;
  return (
    <div class="problem" role="alert">
      {problems.map((problem) => (
        <div key={problem}>{problem}</div>
      ))}
    </div>
  );
}

type History = Record<string, number>;

function Charts({ overview }: { overview: State }) {
  // Asked again soon after something happened, and every half minute.
  const happened = useSlow(overview.samples.scanned + overview.samples.queued + overview.samples.denied, 2000);
  const tick = Math.floor(useNow(10_000) / 30_000);
  const version = `${happened}/${tick}`;
  const samples = useLoad<History>(`/api/v1/sampleHistory?limit=${MINUTES}`, version);
  const queue = useLoad<History>(`/api/v1/queueHistory?limit=${MINUTES}`, version);
  const denied = useLoad<History>(`/api/v1/deniedHistory?limit=${MINUTES}`, version);
  const findings = useLoad<FindingHistory>(`/api/v1/findings/history?minutes=${MINUTES}`, version);
  const now = Math.floor(new Date(overview.time).getTime() / 60_000) * 60;
  const times = useMemo(() => Array.from({ length: MINUTES }, (_, n) => now - (MINUTES - 1 - n) * 60), [now]);
  const zone = useMemo(() => zoneOf(samples.data ?? queue.data ?? denied.data, overview.time), [samples.data, queue.data, denied.data]);
  const sampleSeries = useMemo(() => [one("Samples", "accent", samples.data, times, zone)], [samples.data, times, zone]);
  const queueSeries = useMemo(() => [one("Queue", "accent", queue.data, times, zone)], [queue.data, times, zone]);
  const deniedSeries = useMemo(() => [one("Refused", "warning", denied.data, times, zone)], [denied.data, times, zone]);
  const findingSeries = useMemo(() => byLevel(findings.data, times), [findings.data, times]);
  return (
    <div class="charts">
      <Chart label="Samples scanned per minute" times={times} series={sampleSeries} />
      {overview.findings !== null && <Chart label="Findings per minute" times={times} series={findingSeries} />}
      <Chart label="Samples in the queue" times={times} series={queueSeries} />
      <Chart label="Samples refused per minute" times={times} series={deniedSeries} />
    </div>
  );
}

/** When a minute begins, in seconds, by the clock on the wall of the service: its key names when it ends. */
function beginOf(key: string): number {
  return Date.parse(`${key.replace(" ", "T")}:00Z`) / 1000 - 60;
}

/** How many seconds the clock on the wall of the service is before UTC: zones differ by quarters of an hour, an answer is younger than that. */
function zoneOf(history: History | null, time: string): number {
  const last = Object.keys(history ?? {}).at(-1);
  if (last === undefined) return 0;
  return Math.round((beginOf(last) - new Date(time).getTime() / 1000) / 900) * 900;
}

/** Each value in its minute: an answer may be of a minute ago, or lack some. */
function one(label: string, color: string, history: History | null, times: number[], zone: number): Series {
  const at = new Map(Object.entries(history ?? {}).map(([key, value]) => [beginOf(key) - zone, value]));
  return { label, color, values: times.map((time) => at.get(time) ?? 0) };
}

function byLevel(history: FindingHistory | null, times: number[]): Series[] {
  const at = new Map((history?.minutes ?? []).map((minute) => [Date.parse(minute.time) / 1000, minute.findings]));
  const of = (level: "alert" | "warning" | "notice") => times.map((time) => at.get(time)?.[level] ?? 0);
  return [
    { label: "Alerts", color: "alert", values: of("alert") },
    { label: "Warnings", color: "warning", values: of("warning") },
    { label: "Notices", color: "notice", values: of("notice") },
  ];
}

function Latest({ stored }: { stored: number }) {
  const version = useSlow(stored, 1500);
  const { data, error, reload } = useLoad<FindingPage>("/api/v1/findings?limit=8", version);
  return (
    <Card title="Latest findings" id="latest" actions={<a href={to(["findings"])}>All findings</a>}>
      <Problem error={error} retry={reload} />
      {data !== null &&
        (data.findings.length === 0 ? (
          <p class="muted">Nothing was found so far.</p>
        ) : (
          <FindingTable rows={data.findings} caption="Latest findings" />
        ))}
    </Card>
  );
}
