// All that is known of one finding: why it scored, what matched and where, and
// where else it was seen.

import { useState } from "preact/hooks";
import { ApiError, failure } from "../api";
import { bytes, count } from "../format";
import { Content } from "../hex";
import { useLive } from "../live";
import { useLoad, useSlow } from "../load";
import { Card, Copy, Fact, FindingTable, LevelBadge, Problem, ReviewMark, When } from "../parts";
import { ReasonView } from "../reason";
import { ReviewForm } from "../review";
import { to } from "../router";
import { NotAllowed, useRights } from "../session";
import { Outside, Text } from "../text";
import type { Finding as Body, FindingDetails, Sighting } from "../types";

/** A finding of just now may not be in the store yet: the service waits for it. */
const WAIT_SECONDS = 10;
/** How often it is looked whether what comes in has to do with it. */
const LOOK_MS = 4000;

export function Finding({ id }: { id: string }) {
  // Where else it was seen, and what others make of it, changes while it is read.
  const stored = useSlow(useLive().overview?.findings?.stored ?? 0, LOOK_MS);
  const { data, error, reload } = useLoad<FindingDetails>(`/api/v1/findings/${encodeURIComponent(id)}?wait=${WAIT_SECONDS}`, stored);
  if (data === null) return error === null ? <p class="muted">Loading…</p> : <Problem error={error} retry={reload} />;
  const { finding, summary } = data;
  return (
    <>
      <div class="finding-head">
        <h1 class="finding-title">
          <LevelBadge level={summary.level} /> <span class="score">{summary.score}</span>{" "}
          <Text max={600}>{summary.name === "" ? "(no name)" : summary.name}</Text> <ReviewMark state={summary.review} />
        </h1>
        <p class="muted">
          <Text>{finding.message}</Text>, <When>{summary.time}</When>, from{" "}
          <a href={to(["sources", summary.source])}>
            <Text max={120}>{summary.source}</Text>
          </a>
          {summary.sample_id !== null && `, sample ${summary.sample_id}`}
        </p>
        <SameContent details={data} />
      </div>
      <Issues finding={finding} />
      <div class="columns wide-left">
        <div>
          <Score details={data} />
          <Card title="What matched" id="matched">
            {finding.reasons.length === 0 ? (
              <p class="muted">No signature matched.</p>
            ) : (
              finding.reasons.map((reason, index) => <ReasonView key={index} reason={reason} content={finding.subject.content} />)
            )}
          </Card>
          <Card title="Content" id="content">
            <Content finding={finding} />
          </Card>
        </div>
        <div>
          <ReviewForm details={data} changed={reload} />
          <FileCard details={data} />
        </div>
      </div>
      <Sightings details={data} />
    </>
  );
}

function Issues({ finding }: { finding: Body }) {
  const issues = finding.issues ?? [];
  if (issues.length === 0) return null;
  return (
    <div class="problem" role="note">
      <b>Not everything is known of this file.</b>
      <ul>
        {issues.map((issue, index) => (
          <li key={index}>
            <b>{issue.category}</b>: <Text>{issue.description}</Text>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Score({ details }: { details: FindingDetails }) {
  const { shares, summary, levels } = details;
  if (shares.length === 0) return null;
  const positive = shares.filter((share) => share.points > 0);
  let rank = -1;
  return (
    <Card title="How the score came about" id="score">
      <div class="bar" role="img" aria-label={`Score ${summary.score} of 100`}>
        <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          <rect class="bar-rest" x="0" y="0" width="100" height="4" />
          {positive.map((share, index) => (
            <rect
              key={index}
              class={`bar-part part-${index % 6}`}
              x={positive.slice(0, index).reduce((sum, before) => sum + before.points, 0)}
              y="0"
              width={Math.max(0.2, share.points)}
              height="4"
            />
          ))}
        </svg>
      </div>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col" class="number">
                Sub-score
              </th>
              <th scope="col" class="number">
                Weight
              </th>
              <th scope="col" class="number">
                Adds
              </th>
            </tr>
          </thead>
          <tbody>
            {shares.map((share, index) => {
              if (share.subscore > 0) rank += 1;
              return (
                <tr key={index}>
                  <td>
                    {share.points > 0 && <span class={`dot part-${positive.indexOf(share) % 6}`} />}
                    <Text max={120}>{share.rule}</Text>
                  </td>
                  <td class="number">{share.subscore}</td>
                  <td class="number">{share.subscore > 0 ? (rank === 0 ? "1" : `1/${2 ** rank}`) : "–"}</td>
                  <td class="number">{share.points.toFixed(1)}</td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={3}>
                Score, between 0 and 100
              </th>
              <td class="number">
                <b>{summary.score}</b>
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      <p class="sub">
        The highest sub-score counts in full, each further one half as much as the one before, and only for what is left to 100; negative ones are
        taken off at the end.
      </p>
      <p class="sub" data-levels>
        {summary.score} is {summary.level === "Alert" ? "an" : "a"} <b>{summary.level}</b>: a Notice from {levels.notice}, a Warning from{" "}
        {levels.warning}, an Alert from {levels.alert} where at least one sub-score is above {levels.alert_subscore_above}.
      </p>
    </Card>
  );
}

function FileCard({ details }: { details: FindingDetails }) {
  const { finding, lookups } = details;
  const file = finding.subject;
  return (
    <Card title="File" id="file">
      <Download details={details} />
      <dl class="facts">
        <Fact name="Path">
          <Text max={4096}>{file.path}</Text> <Copy text={file.path} what="the path" />
        </Fact>
        <Fact name="Type">
          <Text max={40}>{file.magic_header}</Text>
          {file.extension !== "" && (
            <>
              , named <Text max={40}>{file.extension}</Text>
            </>
          )}
        </Fact>
        <Fact name="Size">
          {bytes(file.size)} ({count(file.size)} bytes)
        </Fact>
        {(["md5", "sha1", "sha256"] as const).map(
          (kind) =>
            file.hashes && (
              <Fact key={kind} name={kind.toUpperCase().replace("SHA", "SHA-")}>
                <code class="hash">{file.hashes[kind]}</code> <Copy text={file.hashes[kind]} what={kind} />
              </Fact>
            ),
        )}
        {lookups.length > 0 && (
          <Fact name="Look up elsewhere">
            {lookups.map((lookup) => (
              <div key={lookup.name}>
                <Outside address={lookup.url}>{lookup.name}</Outside>
              </div>
            ))}
          </Fact>
        )}
        {file.first_bytes && (
          <Fact name="First bytes">
            <code class="hash">{file.first_bytes.hex}</code> <Text>{file.first_bytes.ascii}</Text>
          </Fact>
        )}
        {(file.unpack_source?.length ?? 0) > 0 && <Fact name="Unpacked from">{file.unpack_source?.join(" › ")}</Fact>}
        {finding.context?.map((context, index) => (
          <Fact key={index} name="Member of">
            <Text max={1000}>{context.object.path}</Text>
          </Fact>
        ))}
        <Fact name="Run">
          <a href={to(["findings"], { scan_id: finding.meta.scan_id })}>
            <Text max={80}>{finding.meta.scan_id}</Text>
          </a>
        </Fact>
        {file.pe_info && <PeFacts facts={file.pe_info} />}
      </dl>
    </Card>
  );
}

/** The sample, if it was kept; of a member, the one that it came in. */
function Download({ details }: { details: FindingDetails }) {
  const { sample_sha256: sha256, sample_kept: kept } = details;
  const { analyst } = useRights();
  const [error, setError] = useState<ApiError | null>(null);
  if (sha256 === null) return null;
  if (!kept) {
    return (
      <p class="download sub" data-sample="none">
        The sample was not kept; which ones are is set with <code>server-store-samples</code>.
      </p>
    );
  }
  if (!analyst) {
    return (
      <div class="download" data-sample="forbidden">
        The sample was kept. <NotAllowed what="Downloading it" />
      </div>
    );
  }
  const load = async () => {
    setError(null);
    try {
      const answer = await fetch(`/api/v1/samples/${sha256}/zip`, { cache: "no-store" });
      if (!answer.ok) throw failure(answer.status, await answer.text(), null);
      const address = URL.createObjectURL(await answer.blob());
      const link = document.createElement("a");
      link.href = address;
      link.download = `${sha256}.zip`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (failed) {
      setError(failed instanceof ApiError ? failed : new ApiError(0, "the service does not answer"));
    }
  };
  return (
    <div class="download" data-sample="kept">
      <button type="button" onClick={load}>
        Download the sample
      </button>{" "}
      <span class="sub">{details.summary.depth > 0 && "the file that this one is in, "}a zip, password infected</span>
      <Problem error={error} />
    </div>
  );
}

function PeFacts({ facts }: { facts: Record<string, unknown> }) {
  return (
    <>
      {Object.entries(facts).map(([name, value]) => {
        if (value === null || value === "") return null;
        const text = typeof value === "object" ? JSON.stringify(value) : String(value);
        return (
          <Fact key={name} name={name.replaceAll("_", " ")}>
            <Text max={400}>{text}</Text>
          </Fact>
        );
      })}
    </>
  );
}

/** In the head, because it is what an analyst asks next. */
function SameContent({ details }: { details: FindingDetails }) {
  const { sightings, summary } = details;
  const same = sightings.find((sighting) => sighting.by === "hash");
  if (same === undefined || same.findings === 0) return null;
  const show = () => {
    const heading = document.getElementById("sightings");
    heading?.scrollIntoView();
    heading?.focus({ preventScroll: true });
  };
  return (
    <p data-same-content>
      {elsewhere(same, summary.source)}{" "}
      <button type="button" class="link" onClick={show}>
        show
      </button>
    </p>
  );
}

function elsewhere({ findings, sources, more, latest }: Sighting, own: string): string {
  const orMore = more ? " or more" : "";
  const here = latest.some((row) => row.source === own);
  // Of what is not among the latest, nobody knows whether it is of this host.
  if (!here && latest.length < findings) return `The same file in ${count(findings)}${orMore} other findings, from ${plural(sources, "host")}`;
  const others = sources - (here ? 1 : 0);
  return others === 0
    ? `The same file ${plural(findings, "more time")} on this host`
    : `The same file on ${count(others)}${orMore} other host${others === 1 ? "" : "s"}`;
}

function plural(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}

function Sightings({ details }: { details: FindingDetails }) {
  const { sightings, summary } = details;
  const link = (by: string, value: string): Record<string, string> => {
    if (by === "hash") return { hash: summary.sha256 ?? value };
    return by === "rule" ? { rule: value } : { name: value };
  };
  const rows = sightings.map((sighting) => sighting.latest.slice(0, 3).map((row) => row.event_id).join());
  /** Whether the same rows are shown already: most rules of a file are seen with each other. */
  const before = (index: number) => rows.indexOf(rows[index] ?? "") < index;
  const title = { hash: "The same content", name: "The same file name", rule: "The same rule" };
  return (
    <Card title="Seen elsewhere" id="sightings" focusable>
      {sightings.length === 0 && <p class="muted">Nowhere else.</p>}
      {sightings.map((sighting, index) => (
        <div key={index} class="sighting">
          <h3>
            {title[sighting.by]}
            {sighting.by !== "hash" && (
              <>
                : <Text max={100}>{sighting.value}</Text>
              </>
            )}
          </h3>
          {sighting.findings === 0 ? (
            <p class="muted">In no other finding.</p>
          ) : (
            <>
              <p>
                In {count(sighting.findings)}
                {sighting.more ? " or more" : ""} other finding{sighting.findings === 1 ? "" : "s"} from {count(sighting.sources)} source
                {sighting.sources === 1 ? "" : "s"}.{" "}
                <a href={to(["findings"], link(sighting.by, sighting.value))}>Show all</a>
              </p>
              {before(index) ? (
                <p class="sub">The latest of them are those above.</p>
              ) : (
                <FindingTable rows={sighting.latest.slice(0, 3)} caption={title[sighting.by]} toSources />
              )}
            </>
          )}
        </div>
      ))}
    </Card>
  );
}
