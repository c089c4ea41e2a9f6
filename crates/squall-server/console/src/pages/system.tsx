// The service itself: its version, and what it could not scan.

import { useState } from "preact/hooks";
import { ApiError, post } from "../api";
import { bytes, count } from "../format";
import { useLive } from "../live";
import { useLoad, useNow } from "../load";
import { Card, Problem, When } from "../parts";
import { to } from "../router";
import { SelfCheck } from "../selfcheck";
import { NotAllowed, useRights } from "../session";
import { Text } from "../text";
import type { Configuration, FailedSamples, Info } from "../types";

export function System() {
  const { analyst } = useRights();
  return (
    <>
      <div class="columns">
        <About />
        <Card title="For programs" id="programs">
          <ul>
            <li>
              <a href={to(["api"])}>API documentation</a>, to be tried out
            </li>
            <li>
              <a href="/openapi.json">OpenAPI document</a>
            </li>
            <li>
              <a href="/metrics">Metrics for Prometheus</a>
            </li>
            <li>
              <a href="/api/info?pretty=true">/api/info</a>, <a href="/api/status?pretty=true">/api/status</a>
            </li>
          </ul>
        </Card>
      </div>
      {analyst && <SelfCheck />}
      <Failed />
      {analyst ? (
        <>
          <Log />
          <Settings />
        </>
      ) : (
        <Card title="Self-check, log and configuration" id="forbidden">
          <NotAllowed what="Seeing them" />
        </Card>
      )}
    </>
  );
}

function About() {
  const { data, error, reload } = useLoad<Info>("/api/v1/info");
  const { overview } = useLive();
  return (
    <Card title="Service" id="about">
      <Problem error={error} retry={reload} />
      {data !== null && (
        <dl class="facts">
          <div>
            <dt>Version</dt>
            <dd>
              <Text>{data.version_info.thor}</Text>, built <Text>{data.version_info.build}</Text>
            </dd>
          </div>
          <div>
            <dt>Started</dt>
            <dd>{overview && <When>{overview.started_at}</When>}</dd>
          </div>
          <div>
            <dt>Scan threads</dt>
            <dd>{data.threads}</dd>
          </div>
          <div>
            <dt>Signatures</dt>
            <dd>
              <a href={to(["signatures"])}>
                <Text>{data.version_info.signatures}</Text>
              </a>
            </dd>
          </div>
        </dl>
      )}
    </Card>
  );
}

function Failed() {
  const { overview } = useLive();
  const { act } = useRights();
  const { data, error, reload } = useLoad<FailedSamples>("/api/v1/samples/failed?limit=100", overview?.samples.failed ?? 0);
  const [failed, setFailed] = useState<ApiError | null>(null);
  const [said, setSaid] = useState("");
  const retry = (path: string, what: string) => {
    setFailed(null);
    post(path)
      .then(() => setSaid(`${what} is scanned again.`))
      .catch((error) => setFailed(error instanceof ApiError ? error : new ApiError(0, String(error))))
      .finally(reload);
  };
  return (
    <Card
      title={`Samples that could not be scanned (${count(data?.total ?? 0)})`}
      id="failed"
      actions={
        act &&
        (data?.total ?? 0) > 0 && (
          <button type="button" onClick={() => retry("/api/v1/samples/failed/retry", "Every one")}>
            Scan all again
          </button>
        )
      }
    >
      <Problem error={error ?? failed} retry={reload} />
      <p role="status" class="sub">
        {said}
      </p>
      {data !== null && data.samples.length === 0 && <p class="muted">None: every sample got a result.</p>}
      {data !== null && data.samples.length > 0 && (
        <div class="scroll">
          <table class="stacked">
            <caption class="off-screen">Samples that could not be scanned, oldest first</caption>
            <thead>
              <tr>
                <th scope="col" class="number">
                  Sample
                </th>
                <th scope="col">File</th>
                <th scope="col">Source</th>
                <th scope="col">Why</th>
                <th scope="col">Received</th>
                {act && <th scope="col">Again</th>}
              </tr>
            </thead>
            <tbody>
              {data.samples.map((sample) => (
                <tr key={sample.id}>
                  <td class="number" data-name="Sample">
                    {sample.id}
                  </td>
                  <td class="strong">
                    {sample.file_name === null ? "(lost)" : <Text max={160}>{sample.file_name}</Text>}{" "}
                    <span class="sub">{bytes(sample.size_bytes)}</span>
                  </td>
                  <td data-name="Source">{sample.source === null ? "(lost)" : <Text max={80}>{sample.source}</Text>}</td>
                  <td data-name="Why">
                    <Text max={300}>{sample.reason}</Text>
                  </td>
                  <td data-name="Received">
                    <When>{sample.received_at}</When>
                  </td>
                  {act && (
                    <td>
                      <button type="button" onClick={() => retry(`/api/v1/samples/${sample.id}/retry`, `Sample ${sample.id}`)}>
                        Scan again
                      </button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data !== null && data.total > data.samples.length && (
        <p class="sub">{count(data.total - data.samples.length)} more are not shown; they are when these are done.</p>
      )}
      {(data?.total ?? 0) > 0 && !act && <NotAllowed what="Scanning them again" />}
    </Card>
  );
}

/** How often the log is looked at. */
const LOG_MS = 3000;

function Log() {
  const [paused, setPaused] = useState(false);
  const now = useNow(LOG_MS);
  const [held, setHeld] = useState(0);
  const { data, error, reload } = useLoad<{ lines: string[] }>("/api/v1/log?lines=200", paused ? held : now);
  const pause = () => {
    setHeld(now);
    setPaused(!paused);
  };
  return (
    <Card
      title="Log"
      id="log"
      actions={
        <button type="button" aria-pressed={paused} onClick={pause}>
          {paused ? "Go on" : "Pause"}
        </button>
      }
    >
      <Problem error={error} retry={reload} />
      {data !== null && (
        <div class="log" tabIndex={0} role="region" aria-label="The last lines of the log">
          <ul class="lines">
            {[...data.lines].reverse().map((line, index) => (
              <li key={index} class="mono">
                <Text>{line}</Text>
              </li>
            ))}
          </ul>
        </div>
      )}
      <p class="sub">
        The last 200 lines, the newest first{paused ? "; it stands still." : "."}
      </p>
    </Card>
  );
}

function Settings() {
  const { data, error, reload } = useLoad<Configuration>("/api/v1/configuration");
  const [all, setAll] = useState(false);
  const shown = (data?.settings ?? []).filter((setting) => all || setting.origin !== "default");
  return (
    <Card
      title="Configuration in force"
      id="configuration"
      actions={
        <button type="button" aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? "Only what was set" : "Defaults as well"}
        </button>
      }
    >
      <Problem error={error} retry={reload} />
      {data !== null && shown.length === 0 && <p class="muted">Everything is at its default.</p>}
      {shown.length > 0 && (
        <div class="scroll">
          <table class="stacked">
            <caption class="off-screen">Settings</caption>
            <thead>
              <tr>
                <th scope="col">Setting</th>
                <th scope="col">Value</th>
                <th scope="col">From</th>
                <th scope="col">Section</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((setting) => (
                <tr key={setting.name}>
                  <td class="strong">{setting.name}</td>
                  <td data-name="Value">
                    {setting.values.length === 0 ? <span class="muted">not set</span> : <Text max={500}>{setting.values.join(", ")}</Text>}
                  </td>
                  <td data-name="From">
                    <Text max={200}>{setting.origin}</Text>
                  </td>
                  <td data-name="Section">{setting.section}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
