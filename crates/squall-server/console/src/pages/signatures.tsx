// The signature set in force, and its replacement.

import { useState } from "preact/hooks";
import { type ApiError, asError, post } from "../api";
import { count, milliseconds } from "../format";
import { useLive } from "../live";
import { useLoad } from "../load";
import { Card, LOADS_AGAIN, Problem, When, Working } from "../parts";
import { Costs } from "../costs";
import { OwnFiles } from "../own";
import type { Route } from "../router";
import { Rules } from "../rules";
import { NotAllowed, useRights } from "../session";
import { SignaturePlaces } from "../sources";
import { Text } from "../text";
import type { SignatureSet, Signatures as State } from "../types";

export function Signatures({ route }: { route: Route }) {
  const { overview } = useLive();
  const { act: may, analyst } = useRights();
  const { data, error, reload } = useLoad<State>("/api/v1/signatures", overview?.signatures?.version ?? "");
  const [busy, setBusy] = useState("");
  const [failed, setFailed] = useState<ApiError | null>(null);
  const act = (what: "reload" | "rollback") => {
    setBusy(what);
    setFailed(null);
    post<State>(`/api/v1/signatures/${what}`)
      .catch((error) => setFailed(asError(error)))
      .finally(() => {
        setBusy("");
        reload();
      });
  };
  if (data === null) return error === null ? <p class="muted">Loading…</p> : <Problem error={error} retry={reload} />;
  return (
    <>
      <Working what={busy === "" ? null : LOADS_AGAIN} />
      <Problem error={failed} />
      {!may && <NotAllowed what="A change of signatures" />}
      {data.pure_yara && (
        <p class="problem" role="note" data-note="pure-yara">
          <b>Only YARA rules are applied</b> (pure-yara is set): lists of indicators, lists of trusted hashes and heuristics have no effect.
        </p>
      )}
      {data.rolled_back !== null && (
        <p class="problem" role="note" data-note="rolled-back">
          <span>
            <b>
              Version <Text>{data.rolled_back}</Text> was rolled back.
            </b>{" "}
            It comes back with a reload or a restart of the service, unless its files are changed.
          </span>
        </p>
      )}
      <div class="columns">
        <Card
          title="In force"
          id="current"
          actions={
            may && (
              <button type="button" class="primary" disabled={busy !== ""} onClick={() => act("reload")}>
                {busy === "reload" ? "Reloading…" : "Reload"}
              </button>
            )
          }
        >
          {data.current === undefined ? <p class="muted">Being loaded.</p> : <SetFacts set={data.current} />}
        </Card>
        <Card
          title="Before"
          id="previous"
          actions={
            may &&
            data.previous && (
              <button type="button" disabled={busy !== ""} onClick={() => act("rollback")}>
                {busy === "rollback" ? "Rolling back…" : "Roll back to it"}
              </button>
            )
          }
        >
          {data.previous === undefined ? <p class="muted">No other set was in force since the start.</p> : <SetFacts set={data.previous} />}
        </Card>
      </div>
      {data.last_change && (
        <Card title="Last change" id="change">
          <p data-outcome={data.last_change.outcome}>
            <span class={`badge outcome-${data.last_change.outcome}`}>{data.last_change.outcome.replace("_", " ")}</span> by{" "}
            {data.last_change.trigger}, <When>{data.last_change.at}</When>, in {milliseconds(data.last_change.duration_milliseconds)}. Since the
            start: {count(data.changes)} changed, {count(data.failed_changes)} failed.
          </p>
          {data.last_change.error && (
            <p class="bad">
              <Text>{data.last_change.error}</Text>
            </p>
          )}
        </Card>
      )}
      <SignaturePlaces version={data.current?.fingerprint ?? ""} changed={reload} />
      {analyst ? (
        <OwnFiles changed={reload} rolledBack={data.rolled_back} />
      ) : (
        <Card title="Your rules and lists" id="own">
          <NotAllowed what="Writing rules and lists" />
        </Card>
      )}
      <Rules route={route} version={data.current?.fingerprint ?? ""} />
      <Costs version={data.current?.fingerprint ?? ""} />
      <Problems state={data} />
    </>
  );
}

/** What costs a signature, and, folded, what costs none. */
function Problems({ state }: { state: State }) {
  const { current, problems, problems_omitted: omitted, warnings, warnings_omitted: warningsOmitted = 0 } = state;
  // Where they are not told apart they are warnings if nothing was lost.
  const apart = warnings !== undefined;
  const harmless = apart || (current?.skipped ?? 0) > 0 ? (warnings ?? []) : problems;
  const lost = harmless === problems ? [] : problems;
  const more = harmless === problems ? { lost: 0, harmless: omitted } : { lost: omitted, harmless: warningsOmitted };
  return (
    <>
      <Card title={`${apart || lost.length === 0 ? "Not usable" : "Not usable, and warnings"} (${count(lost.length + more.lost)})`} id="problems">
        {lost.length + more.lost === 0 ? <p class="muted">Every rule and every line could be used.</p> : <ProblemLines lines={lost} more={more.lost} />}
      </Card>
      {harmless.length + more.harmless > 0 && (
        <Card title={`Warnings (${count(harmless.length + more.harmless)})`} id="warnings">
          <details>
            <summary>What is odd about rules and lines that are in force</summary>
            <ProblemLines lines={harmless} more={more.harmless} />
          </details>
        </Card>
      )}
    </>
  );
}

function ProblemLines({ lines, more }: { lines: string[]; more: number }) {
  return (
    <>
      <ul class="lines">
        {lines.map((line, index) => (
          <li key={index} class="mono">
            <Text>{line}</Text>
          </li>
        ))}
      </ul>
      {more > 0 && <p class="sub">{count(more)} more are not shown.</p>}
    </>
  );
}

function SetFacts({ set }: { set: SignatureSet }) {
  return (
    <dl class="facts">
      <div>
        <dt>Version</dt>
        <dd>
          <Text>{set.version}</Text>
        </dd>
      </div>
      <div>
        <dt>YARA rules</dt>
        <dd>{count(set.rules)}</dd>
      </div>
      <div>
        <dt>IOCs</dt>
        <dd>{count(set.iocs)}</dd>
      </div>
      <div>
        <dt>Not usable</dt>
        <dd>{count(set.skipped)}</dd>
      </div>
      <div>
        <dt>Engine</dt>
        <dd>
          <Text>{set.engine}</Text>
        </dd>
      </div>
      <div>
        <dt>Loaded</dt>
        <dd>
          <When>{set.loaded_at}</When>, in {milliseconds(set.load_time_milliseconds)}
          {set.from_cache && " from the cache"}
        </dd>
      </div>
      <div>
        <dt>Fingerprint</dt>
        <dd>
          <code class="hash">{set.fingerprint}</code>
        </dd>
      </div>
    </dl>
  );
}
