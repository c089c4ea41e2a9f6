// Findings, searched. Every condition is in the address, so that it can be
// kept and passed on.

import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, get, query } from "../api";
import { useLive } from "../live";
import { useLoad, useSlow } from "../load";
import { FindingTable, Problem } from "../parts";
import { go, type Route, to } from "../router";
import { visible } from "../text";
import type { FindingPage, FindingRow, Level } from "../types";

/** The conditions, as the service names them. */
export const CONDITIONS = [
  "q",
  "level",
  "score_min",
  "score_max",
  "source",
  "rule",
  "tag",
  "since",
  "until",
  "hash",
  "name",
  "scan_id",
  "review",
] as const;
type Condition = (typeof CONDITIONS)[number];
type Conditions = Partial<Record<Condition, string>>;

const LEVELS: Level[] = ["Alert", "Warning", "Notice"];
const PAGE = 50;

const FIELDS: { name: Condition; label: string; hint: string; list?: [string, string][] }[] = [
  { name: "name", label: "File name holds", hint: "inetpub" },
  { name: "hash", label: "Hash", hint: "MD5, SHA-1 or SHA-256" },
  { name: "source", label: "Source", hint: "web-01" },
  { name: "rule", label: "Rule", hint: "its whole name" },
  { name: "tag", label: "Tag", hint: "WEBSHELL" },
  { name: "score_min", label: "Score from", hint: "0" },
  { name: "score_max", label: "Score to", hint: "100" },
  { name: "since", label: "Since", hint: "24h, 7d or 2026-11-24" },
  { name: "until", label: "Until", hint: "1h or 2026-11-25" },
  { name: "scan_id", label: "Collection run", hint: "its id" },
  {
    name: "review",
    label: "Review",
    hint: "",
    list: [
      ["", "any"],
      ["open", "open"],
      ["reviewed", "reviewed"],
      ["false_positive", "false positive"],
    ],
  },
];

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
    get<FindingPage>(`/api/v1/findings${query({ ...conditions, limit: PAGE, cursor })}`)
      .then((page) =>
        setMore({ of: search, rows: [...(appended?.rows ?? []), ...page.findings], cursor: page.cursor }),
      )
      .catch(setError);
  };
  return (
    <>
      <Filters conditions={conditions} />
      <div class="list-head">
        <p class="muted" role="status">
          {first.loading && first.data === null ? "Searching…" : `${rows.length}${cursor === null ? "" : "+"} shown, newest first`}
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
      {first.data !== null && rows.length === 0 && (
        <p class="empty">{search === "" ? "Nothing was found so far." : "No finding meets all these conditions."}</p>
      )}
      {rows.length > 0 && <FindingTable rows={rows} caption="Findings, newest first" />}
      {cursor !== null && (
        <p class="more">
          <button type="button" onClick={next}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}

function read(route: Route): Conditions {
  const conditions: Conditions = {};
  for (const name of CONDITIONS) {
    const value = route.parameters[name];
    if (value !== undefined && value !== "") conditions[name] = value;
  }
  return conditions;
}

function apply(conditions: Conditions): void {
  go(to(["findings"], conditions as Record<string, string>));
}

function Filters({ conditions }: { conditions: Conditions }) {
  const set = Object.entries(conditions).filter(([name]) => name !== "q" && name !== "level");
  const [open, setOpen] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const levels = (conditions.level ?? "").split(",").filter(Boolean);
  // What is in the fields follows the address, also when somebody goes back.
  const key = JSON.stringify(conditions);
  useEffect(() => {
    for (const element of form.current?.elements ?? []) {
      if (element instanceof HTMLInputElement || element instanceof HTMLSelectElement) {
        element.value = conditions[element.name as Condition] ?? "";
      }
    }
  }, [key, open]);
  const submit = () => {
    const next: Conditions = { level: conditions.level };
    for (const [name, value] of new FormData(form.current ?? undefined)) {
      if (typeof value === "string" && value.trim() !== "") next[name as Condition] = value.trim();
    }
    if (!open) for (const [name, value] of set) next[name as Condition] ??= value;
    apply(clean(next));
  };
  const toggle = (level: Level) => {
    const lower = level.toLowerCase();
    const has = levels.some((one) => one.toLowerCase() === lower);
    const next = has ? levels.filter((one) => one.toLowerCase() !== lower) : [...levels, level];
    apply(clean({ ...conditions, level: next.length === LEVELS.length ? "" : next.join(",") }));
  };
  return (
    <form
      ref={form}
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="filter-row">
        <input
          type="search"
          name="q"
          aria-label="Search names, rules and matched strings"
          placeholder="Words in names, rules or matched strings; mimi* for a beginning"
        />
        <button type="submit" class="primary">
          Search
        </button>
        <div class="toggles" role="group" aria-label="Levels">
          {LEVELS.map((level) => {
            const on = levels.some((one) => one.toLowerCase() === level.toLowerCase());
            return (
              <button key={level} type="button" aria-pressed={on} class={`toggle level-${level.toLowerCase()}`} onClick={() => toggle(level)}>
                {level}
              </button>
            );
          })}
        </div>
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Fewer filters" : "More filters"}
        </button>
      </div>
      {open && (
        <div class="fields">
          {FIELDS.map((field) => (
            <label key={field.name} class="field">
              <span>{field.label}</span>
              {field.list === undefined ? (
                <input type="text" name={field.name} placeholder={field.hint} spellcheck={false} autocomplete="off" />
              ) : (
                <select name={field.name} onChange={submit}>
                  {field.list.map(([value, text]) => (
                    <option key={value} value={value}>
                      {text}
                    </option>
                  ))}
                </select>
              )}
            </label>
          ))}
        </div>
      )}
      {set.length > 0 && (
        <ul class="chips" aria-label="Conditions">
          {set.map(([name, value]) => (
            <li key={name}>
              <span class="chip">
                {FIELDS.find((field) => field.name === name)?.label ?? name}: <bdi>{visible(value)}</bdi>
                <button
                  type="button"
                  aria-label={`Remove the condition ${FIELDS.find((field) => field.name === name)?.label ?? name}`}
                  onClick={() => apply(clean({ ...conditions, [name]: "" }))}
                >
                  ×
                </button>
              </span>
            </li>
          ))}
          <li>
            <button type="button" class="link" onClick={() => apply({})}>
              Clear all
            </button>
          </li>
        </ul>
      )}
    </form>
  );
}

function clean(conditions: Conditions): Conditions {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined && value !== ""));
}
