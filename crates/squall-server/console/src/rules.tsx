// The rules in force: searched, and shown as they are written.

import { useState } from "preact/hooks";
import { query } from "./api";
import { count, microseconds } from "./format";
import { useLoad } from "./load";
import { Card, Problem } from "./parts";
import { go, type Route, to } from "./router";
import { Text } from "./text";
import type { RulePage, RuleRow, RuleSource } from "./types";

const PAGE = 25;

export function Rules({ route, version }: { route: Route; version: string }) {
  const q = route.parameters.q ?? "";
  const origin = route.parameters.origin ?? "";
  const offset = Math.max(0, Number.parseInt(route.parameters.from ?? "0", 10) || 0);
  const { data, error, reload } = useLoad<RulePage>(`/api/v1/signatures/rules${query({ q, origin, offset, limit: PAGE })}`, version);
  const [open, setOpen] = useState<string | null>(null);
  const address = (change: Record<string, string>) => to(["signatures"], { q, origin, ...change });
  return (
    <Card title={`Rules${data === null ? "" : ` (${count(data.total)})`}`} id="rules">
      <form
        class="filters filter-row"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          go(address({ q: typed(event.currentTarget), from: "" }));
        }}
      >
        <input type="search" name="q" key={q} defaultValue={q} aria-label="Search rules" placeholder="Words in name, description, tags, author or file" />
        <select aria-label="Origin" value={origin} onChange={(event) => go(address({ q: typed(event.currentTarget.form), origin: event.currentTarget.value, from: "" }))}>
          <option value="">any origin</option>
          <option value="internal">internal</option>
          <option value="custom">custom</option>
          <option value="external">external</option>
        </select>
        <button type="submit" class="primary">
          Search
        </button>
      </form>
      <Problem error={error} retry={reload} />
      {data !== null && data.rules.length === 0 && <p class="muted">No rule in force has all these words.</p>}
      {data !== null && data.rules.length > 0 && (
        <div class="scroll">
          <table class="stacked rules">
            <caption class="off-screen">Rules in force, by name</caption>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col" class="number">
                  Score
                </th>
                <th scope="col">Origin</th>
                <th scope="col" class="number">
                  Findings
                </th>
                <th scope="col" class="number">
                  Time per sample
                </th>
                <th scope="col">Source</th>
              </tr>
            </thead>
            <tbody>
              {data.rules.map((rule) => {
                const key = `${rule.file}\n${rule.name}`;
                return <Row key={key} rule={rule} open={open === key} toggle={() => setOpen(open === key ? null : key)} />;
              })}
            </tbody>
          </table>
        </div>
      )}
      {data !== null && (offset > 0 || data.next !== null) && (
        <p class="more">
          {offset > 0 && (
            <a class="button" href={address({ from: String(Math.max(0, offset - PAGE)) })}>
              Before
            </a>
          )}{" "}
          {data.next !== null && (
            <a class="button" href={address({ from: String(data.next) })}>
              Next
            </a>
          )}
        </p>
      )}
    </Card>
  );
}

/** What is in the field now. */
function typed(form: HTMLFormElement | null): string {
  const value = new FormData(form ?? undefined).get("q");
  return typeof value === "string" ? value.trim() : "";
}

function Row({ rule, open, toggle }: { rule: RuleRow; open: boolean; toggle: () => void }) {
  return (
    <>
      <tr>
        <td class="c-rule">
          <span class="strong">
            <Text max={120}>{rule.name}</Text>
          </span>
          {rule.description !== "" && (
            <div class="sub">
              <Text max={240}>{rule.description}</Text>
            </div>
          )}
        </td>
        <td class="number" data-name="Score">
          {rule.score}
        </td>
        <td data-name="Origin">{rule.origin}</td>
        <td class="number" data-name="Findings">
          {rule.hits === null ? (
            "–"
          ) : rule.hits === 0 ? (
            "0"
          ) : (
            <a href={to(["findings"], { rule: rule.name })}>
              {count(rule.hits)}
              {rule.hits >= 10_000 && "+"}
            </a>
          )}
        </td>
        <td class="number" data-name="Time per sample" title={rule.microseconds === null ? "Only the most expensive rules have a time" : undefined}>
          {rule.microseconds === null ? "–" : microseconds(rule.microseconds)}
        </td>
        <td>
          <button type="button" aria-expanded={open} aria-label={`${open ? "Hide" : "Show"} the source of ${rule.name}`} onClick={toggle}>
            {open ? "Hide" : "Show"}
          </button>
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={6}>
            <Source rule={rule} />
          </td>
        </tr>
      )}
    </>
  );
}

function Source({ rule }: { rule: RuleRow }) {
  const { data, error } = useLoad<RuleSource>(`/api/v1/signatures/rules/${encodeURIComponent(rule.name)}${query({ file: rule.file })}`);
  if (data === null) return error === null ? <p class="muted">Loading…</p> : <Problem error={error} />;
  return (
    <>
      <p class="sub">
        <Text max={300}>{data.file}</Text>, line {data.line}
      </p>
      <pre class="source" tabIndex={0} role="region" aria-label={`Source of ${rule.name}`}>
        <Code>{data.text}</Code>
      </pre>
    </>
  );
}

/** Foreign text of several lines. */
export function Code({ children }: { children: string }) {
  return (
    <code>
      {children.split(/\r?\n/).map((line, index) => (
        <span key={index}>
          {line.split("\t").map((part, at) => [at > 0 && "    ", <Text key={at}>{part}</Text>])}
          {"\n"}
        </span>
      ))}
    </code>
  );
}
