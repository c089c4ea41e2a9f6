// The conditions of a search for findings, as a form; what is set is in the address.

import { useEffect, useRef, useState } from "preact/hooks";
import { get, query } from "./api";
import { go, type Route, to } from "./router";
import { remember, remembered } from "./storage";
import { Text, visible } from "./text";
import { fromInput, SPANS, shownTime, toInput, zone } from "./times";
import type { Level, RulePage } from "./types";

/** How long somebody types on before names are asked for. */
const TYPING_MS = 250;
/** Letters that the full-text search wants of the beginning of a word. */
const BEGINNING_MIN = 3;
/** Names that are offered. */
const RULES_OFFERED = 20;

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

const FIELDS: { name: Condition; label: string; hint: string; kind?: "time"; list?: [string, string][] }[] = [
  { name: "name", label: "File name holds", hint: "inetpub" },
  { name: "hash", label: "Hash", hint: "MD5, SHA-1 or SHA-256" },
  { name: "source", label: "Source", hint: "its whole name: web-01" },
  { name: "rule", label: "Rule", hint: "its whole name; type and choose" },
  { name: "tag", label: "Tag", hint: "the whole tag: WEBSHELL" },
  { name: "score_min", label: "Score from", hint: "0" },
  { name: "score_max", label: "Score to", hint: "100" },
  { name: "since", label: "Since", hint: "", kind: "time" },
  { name: "until", label: "Until", hint: "", kind: "time" },
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

export function read(route: Route): Conditions {
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

export function Filters({ conditions }: { conditions: Conditions }) {
  const set = Object.entries(conditions).filter(([name]) => name !== "q" && name !== "level");
  const [open, setOpen] = useState(set.length > 0 || remembered("filters") === "open");
  const form = useRef<HTMLFormElement>(null);
  const levels = (conditions.level ?? "").split(",").filter(Boolean);
  // What is in the fields follows the address, also when somebody goes back.
  const key = JSON.stringify(conditions);
  useEffect(() => {
    for (const element of form.current?.elements ?? []) {
      if ((element instanceof HTMLInputElement || element instanceof HTMLSelectElement) && element.name !== "") {
        const value = conditions[element.name as Condition] ?? "";
        element.value = element.type === "datetime-local" ? toInput(value) : value;
      }
    }
  }, [key]);
  /** What is in the fields now: whatever is changed, what was typed beside it counts as well. */
  const written = (): Conditions => {
    const next: Conditions = { level: conditions.level };
    for (const [field, value] of new FormData(form.current ?? undefined)) {
      const name = field as Condition;
      if (typeof value !== "string") continue;
      next[name] = name === "since" || name === "until" ? fromInput(value, conditions[name] ?? "") : value.trim();
    }
    return next;
  };
  const submit = () => apply(clean(written()));
  const toggle = (level: Level) => {
    const lower = level.toLowerCase();
    const has = levels.some((one) => one.toLowerCase() === lower);
    const next = has ? levels.filter((one) => one.toLowerCase() !== lower) : [...levels, level];
    apply(clean({ ...written(), level: next.length === LEVELS.length ? "" : next.join(",") }));
  };
  const span = (conditions.until ?? "") === "" && SPANS.some(([value]) => value === (conditions.since ?? "")) ? (conditions.since ?? "") : "other";
  const choose = (value: string) => {
    if (value !== "other") apply(clean({ ...written(), since: value, until: "" }));
  };
  const show = () => {
    remember("filters", open ? "" : "open");
    setOpen(!open);
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
        <select aria-label="Time" value={span} onChange={(event) => choose(event.currentTarget.value)}>
          {SPANS.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
          {span === "other" && <option value="other">as chosen</option>}
        </select>
        <button type="button" aria-expanded={open} onClick={show}>
          {open ? "Fewer filters" : "More filters"}
        </button>
      </div>
      <div class="fields" hidden={!open}>
        {FIELDS.map((field) => (
          <label key={field.name} class="field">
            <span>{field.label}</span>
            {field.kind === "time" ? (
              <input type="datetime-local" step="1" name={field.name} />
            ) : field.name === "rule" ? (
              <RuleInput hint={field.hint} />
            ) : field.list === undefined ? (
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
        <p class="sub fields-note">
          Source, rule and tag are whole names; a part of one is for the search above, which takes the beginning of a word with *. Times are in your time
          zone: {zone()}.
        </p>
      </div>
      {set.length > 0 && (
        <ul class="chips" aria-label="Conditions">
          {set.map(([name, value]) => (
            <li key={name}>
              <span class="chip">
                {FIELDS.find((field) => field.name === name)?.label ?? name}: <bdi>{visible(name === "since" || name === "until" ? shownTime(value) : value)}</bdi>
                <button
                  type="button"
                  aria-label={`Remove the condition ${FIELDS.find((field) => field.name === name)?.label ?? name}`}
                  onClick={() => apply(clean({ ...written(), [name]: "" }))}
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

/** Conditions that are met by a whole name only. */
const WHOLE = ["source", "rule", "tag"] as const;

/** Where nothing has a name: that whole ones are meant, and where to look for a part. */
export function WholeNames({ conditions }: { conditions: Conditions }) {
  const { q = "", rule, source } = conditions;
  const words = rule === undefined ? "" : beginnings(rule);
  const text = { ...conditions, rule: "", q: [q, words].filter(Boolean).join(" ") } as Record<string, string>;
  return (
    <>
      {WHOLE.filter((name) => conditions[name] !== undefined).map((name) => (
        <p key={name} data-whole={name}>
          The {name} <Text max={100}>{conditions[name] ?? ""}</Text> is looked for by its whole name.{" "}
          {name === "rule" && words !== "" && <a href={to(["findings"], text)}>Search for words that begin like that</a>}
          {name === "rule" && " or "}
          {name === "rule" && <a href={to(["signatures"], { q: rule ?? "" })}>look among the rules</a>}
          {name === "source" && <a href={to(["sources"], { name: source ?? "" })}>Look among the sources</a>}
        </p>
      ))}
    </>
  );
}

/** The words of a name, each as the beginning of one where it is long enough for that. */
function beginnings(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return words.map((word) => (word.length < BEGINNING_MIN ? word : `${word}*`)).join(" ");
}

/** Offers the rules in force whose name, description or tags hold what is typed. */
function RuleInput({ hint }: { hint: string }) {
  const [names, setNames] = useState<string[]>([]);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (value: string) => {
    clearTimeout(timer.current);
    if (value.trim().length < 2 || names.includes(value)) return;
    timer.current = window.setTimeout(() => {
      // Without a list, a whole name is as good as ever.
      get<RulePage>(`/api/v1/signatures/rules${query({ q: value.trim(), limit: RULES_OFFERED })}`)
        .then((page) => setNames([...new Set(page.rules.map((rule) => rule.name))]))
        .catch(() => setNames([]));
    }, TYPING_MS);
  };
  return (
    <>
      <input
        type="text"
        name="rule"
        list="rule-names"
        placeholder={hint}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => typed(event.currentTarget.value)}
      />
      <datalist id="rule-names">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

function clean(conditions: Conditions): Conditions {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined && value !== ""));
}
