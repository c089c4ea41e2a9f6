// Small pieces that several pages show.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiError } from "./api";
import { ago, count, duration, time } from "./format";
import { useNow } from "./load";
import { to } from "./router";
import { Text } from "./text";
import type { FindingRow, Level, LevelCounts, ReviewState } from "./types";

export function LevelBadge({ level }: { level: Level }) {
  return <span class={`badge level-${level.toLowerCase()}`}>{level}</span>;
}

export function ReviewMark({ state }: { state: ReviewState }) {
  if (state === "open") return null;
  return <span class={`badge review-${state}`}>{state === "reviewed" ? "Reviewed" : "False positive"}</span>;
}

export function When({ children, relative = false }: { children: string; relative?: boolean }) {
  const now = useNow();
  return (
    <time dateTime={children} title={`${time(children)} (${children})`} class="when">
      {relative ? ago(children, now) : time(children)}
    </time>
  );
}

export function Counts({ counts }: { counts: LevelCounts }) {
  const all: [string, number][] = [
    ["alert", counts.alert],
    ["warning", counts.warning],
    ["notice", counts.notice],
  ];
  const shown = all.filter(([, n]) => n > 0);
  if (shown.length === 0) return <span class="muted">none</span>;
  return (
    <span class="counts">
      {shown.map(([level, n]) => (
        <span key={level} class={`badge level-${level}`}>
          {count(n)} {level}
          {n === 1 ? "" : "s"}
        </span>
      ))}
    </span>
  );
}

export function Problem({ error, retry }: { error: ApiError | null; retry?: () => void }) {
  if (error === null) return null;
  return (
    <div class="problem" role="alert">
      <Text>{error.message}</Text>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What takes seconds or longer while it does; `null` when nothing does. The seconds are not read out, or a reader would hear nothing else. */
export function Working({ what }: { what: string | null }) {
  return (
    <p role="status" class={what === null ? "off-screen" : "working"} data-working={what === null ? undefined : ""}>
      {what !== null && (
        <>
          Working: {what} <Elapsed key={what} />
        </>
      )}
    </p>
  );
}

/** What is said while the whole set is built. */
export const LOADS_AGAIN = "the signatures are loaded again; this may take as long as a reload.";

function Elapsed() {
  const [began] = useState(Date.now());
  const now = useNow(1000);
  return <span aria-hidden="true">{duration(Math.max(0, Math.round((now - began) / 1000)))}</span>;
}

export function Card({
  title,
  id,
  actions,
  children,
  class: name = "",
  focusable = false,
}: {
  title: ComponentChildren;
  id: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
  /** Its heading is a place that something leads to. */
  focusable?: boolean;
}) {
  return (
    <section class={`card ${name}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id} tabIndex={focusable ? -1 : undefined}>
          {title}
        </h2>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** A line of a list of facts. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState<"" | "Copied" | "Not copied">("");
  const copy = () => {
    const finish = (ok: boolean) => {
      setDone(ok ? "Copied" : "Not copied");
      setTimeout(() => setDone(""), 1500);
    };
    // The clipboard is there on HTTPS and on this machine only.
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => finish(true), () => finish(byHand(text)));
    else finish(byHand(text));
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${what}`} onClick={copy}>
      <span role="status">{done === "" ? "Copy" : done}</span>
    </button>
  );
}

function byHand(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "off-screen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export function Command({ text, label }: { text: string; label: string }) {
  return (
    <div class="command">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      <Copy text={text} what={label} />
    </div>
  );
}

/** What came in while a list stands still. */
export function Fresh({ list }: { list: { fresh: number; freshMore: boolean; show: () => void } }) {
  return (
    <p role="status" class={list.fresh === 0 ? "off-screen" : "fresh"}>
      {list.fresh > 0 && (
        <button type="button" onClick={list.show}>
          {count(list.fresh)}
          {list.freshMore && "+"} new: show
        </button>
      )}
    </p>
  );
}

/** Findings as a table; on a narrow screen, a list. A source leads to its findings, or to its page. */
export function FindingTable({ rows, caption, toSources = false }: { rows: FindingRow[]; caption: string; toSources?: boolean }) {
  return (
    <div class="scroll">
      <table class="findings stacked">
        <caption class="off-screen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Level</th>
            <th scope="col" class="number">
              Score
            </th>
            <th scope="col">File</th>
            <th scope="col">What matched</th>
            <th scope="col">Source</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.event_id} class={row.review === "open" ? "" : "done"}>
              <td class="c-level">
                <LevelBadge level={row.level} />
              </td>
              <td class="c-score number">
                <b>{row.score}</b>
              </td>
              <td class="c-name">
                <a href={to(["findings", row.event_id])} class="strong">
                  <Text max={160}>{row.name === "" ? "(no name)" : row.name}</Text>
                </a>
                <div class="sub">
                  <Text max={40}>{row.type}</Text>
                  {row.has_issues && <span class="badge incomplete">Not scanned completely</span>}
                  <ReviewMark state={row.review} />
                </div>
              </td>
              <td class="c-rules">
                {row.rules.slice(0, 2).map((rule) => (
                  <div key={rule.name}>
                    <a href={to(["findings"], { rule: rule.name })} title="All findings of this rule">
                      <Text max={60}>{rule.name}</Text>
                    </a>
                  </div>
                ))}
                {row.reason_count > 2 && <div class="sub">and {row.reason_count - 2} more</div>}
              </td>
              <td class="c-source">
                <a
                  href={toSources ? to(["sources", row.source]) : to(["findings"], { source: row.source })}
                  title={toSources ? "All that is known of this source" : "All findings of this source"}
                >
                  <Text max={60}>{row.source}</Text>
                </a>
              </td>
              <td class="c-time">
                <When>{row.time}</When>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
