// Who sent samples, and the runs of collectors.

import { query } from "../api";
import { bytes, count, duration } from "../format";
import { useLive } from "../live";
import { type Pages, usePages } from "../lists";
import { useLoad, useNow, useSlow } from "../load";
import { Card, Counts, Fresh, Problem, When } from "../parts";
import { go, type Route, to } from "../router";
import { Text } from "../text";
import type { CollectionRow, SourceRow } from "../types";

const PAGE = 100;

/** Another value when samples came in, or a while passed: runs begin and end without any. */
function useNews(): string {
  const { overview } = useLive();
  const counted = useSlow((overview?.samples.accepted ?? 0) + (overview?.findings?.stored ?? 0), 2000);
  return `${counted}/${Math.floor(useNow(5000) / 10_000)}`;
}

export function Sources({ route }: { route: Route }) {
  const runs = route.parameters.show === "runs";
  return (
    <>
      <nav class="tabs" aria-label="Sources or runs">
        <a href={to(["sources"])} aria-current={runs ? undefined : "page"}>
          Sources
        </a>
        <a href={to(["sources"], { show: "runs" })} aria-current={runs ? "page" : undefined}>
          Collection runs
        </a>
      </nav>
      {runs ? <RunList route={route} /> : <SourceList route={route} />}
    </>
  );
}

function SourceList({ route }: { route: Route }) {
  const name = route.parameters.name ?? "";
  const list = usePages<SourceRow>({ path: "/api/v1/sources", key: "sources", parameters: { name }, size: PAGE, id: (row) => row.source, news: useNews() });
  return (
    <>
      <form
        class="filters filter-row"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          const value = new FormData(event.currentTarget).get("name");
          go(to(["sources"], { name: typeof value === "string" ? value.trim() : "" }));
        }}
      >
        <input type="search" name="name" key={name} defaultValue={name} aria-label="Name holds" placeholder="Part of a name" />
        <button type="submit" class="primary">
          Search
        </button>
      </form>
      <Fresh list={list} />
      <Problem error={list.error} retry={list.reload} />
      {list.rows !== null && list.rows.length === 0 && <p class="empty">{name === "" ? "Nobody sent a sample yet." : "No source is named like that."}</p>}
      {list.rows !== null && list.rows.length > 0 && (
        <div class="scroll">
          <table class="stacked sources">
            <caption class="off-screen">Sources, the one heard of last first</caption>
            <thead>
              <tr>
                <th scope="col">Source</th>
                <th scope="col">Last seen</th>
                <th scope="col">First seen</th>
                <th scope="col" class="number">
                  Samples
                </th>
                <th scope="col" class="number">
                  Bytes
                </th>
                <th scope="col">Findings</th>
                <th scope="col">Collector</th>
              </tr>
            </thead>
            <tbody>
              {list.rows.map((row) => (
                <tr key={row.source}>
                  <td class="strong">
                    <a href={to(["sources", row.source])}>
                      <Text max={100}>{row.source === "" ? "(no name)" : row.source}</Text>
                    </a>
                  </td>
                  <td data-name="Last seen">
                    <When relative>{row.last_seen}</When>
                  </td>
                  <td data-name="First seen">
                    <When>{row.first_seen}</When>
                  </td>
                  <td class="number" data-name="Samples">
                    {count(row.samples)}
                  </td>
                  <td class="number" data-name="Bytes">
                    {bytes(row.bytes)}
                  </td>
                  <td data-name="Findings">
                    <Counts counts={row.findings} />
                  </td>
                  <td data-name="Collector">
                    <Text max={80}>{row.agent}</Text>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More list={list} />
    </>
  );
}

export function Source({ name }: { name: string }) {
  const { data, error, reload } = useLoad<{ source: SourceRow; collections: CollectionRow[] }>(
    `/api/v1/source${query({ name })}`,
    useNews(),
  );
  if (data === null) return error === null ? <p class="muted">Loading…</p> : <Problem error={error} retry={reload} />;
  const { source, collections } = data;
  return (
    <>
      <h1>
        <Text max={300}>{source.source}</Text>
      </h1>
      <dl class="facts wide">
        <div>
          <dt>Samples</dt>
          <dd>
            {count(source.samples)} ({bytes(source.bytes)})
          </dd>
        </div>
        <div>
          <dt>First seen</dt>
          <dd>
            <When>{source.first_seen}</When>
          </dd>
        </div>
        <div>
          <dt>Last seen</dt>
          <dd>
            <When>{source.last_seen}</When>
          </dd>
        </div>
        <div>
          <dt>Collector</dt>
          <dd>{source.agent === "" ? "–" : <Text max={200}>{source.agent}</Text>}</dd>
        </div>
        <div>
          <dt>Findings</dt>
          <dd>
            <Counts counts={source.findings} /> <a href={to(["findings"], { source: source.source })}>Show them</a>
          </dd>
        </div>
      </dl>
      <Card title="Collection runs" id="runs">
        {collections.length === 0 ? <p class="muted">No collector announced a run.</p> : <RunTable rows={collections} />}
      </Card>
    </>
  );
}

function RunList({ route }: { route: Route }) {
  const incomplete = route.parameters.state === "incomplete";
  const list = usePages<CollectionRow>({
    path: "/api/v1/collections",
    key: "collections",
    parameters: { state: incomplete ? "incomplete" : "" },
    size: PAGE,
    id: (row) => row.scan_id,
    news: useNews(),
  });
  return (
    <>
      <label class="choice inline">
        <input
          type="checkbox"
          checked={incomplete}
          onChange={() => go(to(["sources"], { show: "runs", state: incomplete ? "" : "incomplete" }))}
        />
        <span>Only those that never ended</span>
      </label>
      <Fresh list={list} />
      <Problem error={list.error} retry={list.reload} />
      {list.rows !== null && list.rows.length === 0 && <p class="empty">{incomplete ? "Every run said how it ended." : "No collector announced a run."}</p>}
      {list.rows !== null && list.rows.length > 0 && <RunTable rows={list.rows} />}
      <More list={list} />
    </>
  );
}

function RunTable({ rows }: { rows: CollectionRow[] }) {
  return (
    <div class="scroll">
      <table class="stacked runs">
        <caption class="off-screen">Collection runs, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Source</th>
            <th scope="col">Run</th>
            <th scope="col">Began</th>
            <th scope="col">Ended</th>
            <th scope="col" class="number">
              Samples
            </th>
            <th scope="col">As the collector says</th>
            <th scope="col">Findings</th>
            <th scope="col">Collector</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.scan_id}>
              <td>
                <span class={`badge run-${row.state === "end" ? "end" : "other"}`}>{row.state === "end" ? "complete" : row.state}</span>
              </td>
              <td class="strong">
                <a href={to(["sources", row.source])}>
                  <Text max={80}>{row.source}</Text>
                </a>
              </td>
              <td data-name="Run">
                <code>
                  <Text max={60}>{row.scan_id}</Text>
                </code>
              </td>
              <td data-name="Began">
                <When>{row.began}</When>
              </td>
              <td data-name="Ended">
                {row.ended === null ? (
                  <>
                    –
                    {row.state === "incomplete" && row.last_seen && (
                      <div class="sub">
                        source last seen <When relative>{row.last_seen}</When>
                      </div>
                    )}
                  </>
                ) : (
                  <>
                    <When>{row.ended}</When>
                    <div class="sub">after {duration((new Date(row.ended).getTime() - new Date(row.began).getTime()) / 1000)}</div>
                  </>
                )}
              </td>
              <td class="number" data-name="Samples">
                {count(row.samples)} ({bytes(row.bytes)})
              </td>
              <td data-name="Collector says">
                {row.stats === null
                  ? "–"
                  : `${count(row.stats.submitted)} sent of ${count(row.stats.scanned)}, ${count(row.stats.failed)} failed`}
              </td>
              <td data-name="Findings">
                <Counts counts={row.findings} /> <a href={to(["findings"], { scan_id: row.scan_id })}>show</a>
              </td>
              <td data-name="Collector">
                <Text max={60}>{row.collector}</Text>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function More<T>({ list }: { list: Pages<T> }) {
  if (list.cursor === null) return null;
  return (
    <p class="more">
      <button type="button" onClick={list.next}>
        Show more
      </button>
    </p>
  );
}
