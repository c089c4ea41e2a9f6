// Sends files of this browser, a few at a time, and shows what comes back.

import { useEffect, useRef, useState } from "preact/hooks";
import { bytes, count } from "../format";
import { Card, LevelBadge } from "../parts";
import { to } from "../router";
import { useRights } from "../session";
import { remember, remembered } from "../storage";
import { Text, visible } from "../text";
import type { Finding } from "../types";
import { type Chosen, chosen, collect, FILES_MAX, type Upload, Uploads } from "../upload";

export function Submit() {
  const [uploads] = useState(() => Uploads.shared());
  const [queued, setQueued] = useState(remembered("mode") === "queue");
  const [source, setSource] = useState("");
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);

  const [left, setLeft] = useState<Chosen | null>(null);
  const add = (what: Chosen) => {
    setLeft(what.cut || what.unreadableCount > 0 ? what : null);
    uploads.add(what.files, { queued, source });
  };
  const take = (input: HTMLInputElement | null) => {
    if (input === null || input.files === null) return;
    add(chosen(input.files));
    input.value = "";
  };
  const dropped = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer !== null) add(await collect(event.dataTransfer));
  };
  const choose = (mode: boolean) => {
    setQueued(mode);
    remember("mode", mode ? "queue" : "");
  };

  return (
    <>
      <div class="columns">
        <div
          class={over ? "drop over" : "drop"}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={dropped}
          data-drop
        >
          <p class="drop-title">Drop files or a folder here</p>
          <p>
            <button type="button" class="primary" onClick={() => files.current?.click()}>
              Choose files
            </button>{" "}
            <button type="button" onClick={() => folder.current?.click()}>
              Choose a folder
            </button>
          </p>
          <input ref={files} type="file" multiple hidden aria-label="Files to send" onChange={() => take(files.current)} />
          <input
            ref={folder}
            type="file"
            multiple
            hidden
            aria-label="Folder to send"
            {...{ webkitdirectory: true }}
            onChange={() => take(folder.current)}
          />
        </div>
        <fieldset class="options">
          <legend>How</legend>
          <label class="choice">
            <input type="radio" name="mode" checked={!queued} onChange={() => choose(false)} />
            <span>
              <b>Check now</b>
              <span class="sub">The answer comes with the upload. For a few files somebody waits for.</span>
            </span>
          </label>
          <label class="choice">
            <input type="radio" name="mode" checked={queued} onChange={() => choose(true)} />
            <span>
              <b>Queue</b>
              <span class="sub">
                Each file is on the disk before it is acknowledged, and scanned in its turn, also after a crash. For many files.
              </span>
            </span>
          </label>
          <label class="field">
            <span>Source</span>
            <input
              type="text"
              maxLength={255}
              value={source}
              placeholder="host the files are from; yours by default"
              onInput={(event) => setSource(event.currentTarget.value)}
            />
          </label>
        </fieldset>
      </div>
      {left !== null && <LeftOut what={left} />}
      <Results uploads={uploads} />
    </>
  );
}

/** What was chosen and is not sent. */
function LeftOut({ what }: { what: Chosen }) {
  const more = what.unreadableCount - what.unreadable.length;
  return (
    <div class="problem" role="alert" data-left-out>
      {what.cut && (
        <div>
          Only the first {count(FILES_MAX)} files are sent; there are more. A collector sends as many as there are.
        </div>
      )}
      {what.unreadableCount > 0 && (
        <div>
          {count(what.unreadableCount)} could not be read and {what.unreadableCount === 1 ? "is" : "are"} not sent:{" "}
          {what.unreadable.map((name, index) => (
            <span key={index}>
              {index > 0 && ", "}
              <Text max={200}>{name}</Text>
            </span>
          ))}
          {more > 0 && ` and ${count(more)} more`}
        </div>
      )}
    </div>
  );
}

/** Files that are listed. */
const SHOWN_MAX = 500;
/** Findings of one file that are listed. */
const FINDINGS_MAX = 20;
/** How often the list is drawn: with many files something happens all the time. */
const DRAWN_MS = 200;

/** Draws again when something happened, but not for everything that does. */
function useChanges(uploads: Uploads): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    let timer: number | undefined;
    const changed = () => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        redraw((n) => n + 1);
      }, DRAWN_MS);
    };
    const end = uploads.listen(changed);
    changed();
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [uploads]);
}

/** What a reader must see comes first. */
type Kind = "failed" | "found" | "working" | "waiting" | "clean";
const ORDER: Kind[] = ["failed", "found", "working", "waiting", "clean"];
const NOT_SHOWN: Record<Kind, string> = {
  failed: "failed",
  found: "with findings",
  working: "under way",
  waiting: "still to be sent",
  clean: "in which nothing was found",
};

function kind({ state }: Upload): Kind {
  switch (state.is) {
    case "failed":
      return "failed";
    case "done":
      return state.findings.length > 0 ? "found" : "clean";
    case "waiting":
      return "waiting";
    default:
      return "working";
  }
}

function Results({ uploads }: { uploads: Uploads }) {
  useChanges(uploads);
  const { all } = uploads;
  const of: Record<Kind, Upload[]> = { failed: [], found: [], working: [], waiting: [], clean: [] };
  for (const upload of all) of[kind(upload)].push(upload);
  const sorted = ORDER.flatMap((one) => of[one]);
  const left = sorted.slice(SHOWN_MAX);
  const open = of.working.length + of.waiting.length;
  const title = `${count(of.found.length + of.clean.length)} sent, ${count(of.failed.length)} failed, ${count(of.found.length)} with findings`;
  if (all.length === 0) return null;
  return (
    <Card
      title={open === 0 ? title : `${title}; ${count(open)} to go`}
      id="results"
      actions={
        <button type="button" onClick={() => uploads.clear()}>
          Clear those done
        </button>
      }
    >
      <p role="status" class="off-screen">
        {open === 0 ? title : of.failed.length > 0 && `${count(of.failed.length)} failed so far`}
      </p>
      <ul class="uploads">
        {sorted.slice(0, SHOWN_MAX).map((upload) => (
          <li key={upload.id} data-upload={upload.state.is}>
            <div class="upload-name">
              <Text max={200}>{upload.name}</Text> <span class="sub">{bytes(upload.file.size)}</span>
            </div>
            <Progress upload={upload} again={() => uploads.again(upload)} />
          </li>
        ))}
      </ul>
      {left.length > 0 && (
        <p class="muted">
          {count(left.length)} more are not shown:{" "}
          {ORDER.map((one) => [one, left.filter((upload) => kind(upload) === one).length] as const)
            .filter(([, n]) => n > 0)
            .map(([one, n]) => `${count(n)} ${NOT_SHOWN[one]}`)
            .join(", ")}
          .
        </p>
      )}
    </Card>
  );
}

/** The address of all findings of a file: those whose name holds its, of that source, since then. */
function allOf(upload: Upload, findings: Finding[]): string {
  const since = findings.reduce((first, { meta }) => (meta.time < first ? meta.time : first), findings[0]?.meta.time ?? "");
  return to(["findings"], { name: upload.name, source: findings[0]?.meta.hostname ?? "", since });
}

const title = (finding: Finding) => <Text max={120}>{finding.reasons[0]?.signature.rule_name ?? finding.message}</Text>;

function Progress({ upload, again }: { upload: Upload; again: () => void }) {
  const { state } = upload;
  const { read } = useRights();
  switch (state.is) {
    case "waiting":
      return <span class="muted">{state.why ?? "waiting"}</span>;
    case "sending":
      return state.sent < upload.file.size ? (
        <progress max={upload.file.size || 1} value={state.sent} aria-label="Sent" />
      ) : (
        <span class="muted">being scanned</span>
      );
    case "queued":
      return <span class="muted">{state.status}</span>;
    case "failed":
      return (
        <span class="failed-upload">
          <span class="bad">
            <Text>{state.reason}</Text>
          </span>{" "}
          <button type="button" aria-label={`Send again: ${visible(upload.name)}`} onClick={again}>
            Send again
          </button>
        </span>
      );
    case "done":
      if (state.findings.length === 0) return <span class="good">Nothing found</span>;
      return (
        <ul class="upload-findings">
          {state.findings.slice(0, FINDINGS_MAX).map((finding) => (
            <li key={finding.meta.event_id}>
              <LevelBadge level={finding.meta.level} /> <b>{finding.score}</b>{" "}
              {read ? <a href={to(["findings", finding.meta.event_id ?? ""])}>{title(finding)}</a> : title(finding)}
              {finding.subject.path !== upload.name && (
                <span class="sub">
                  <Text max={160}>{finding.subject.path}</Text>
                </span>
              )}
              {(finding.issues?.length ?? 0) > 0 && <span class="badge incomplete">Not scanned completely</span>}
            </li>
          ))}
          {state.findings.length > FINDINGS_MAX && (
            <li class="muted">
              {count(state.findings.length - FINDINGS_MAX)} more of this file{read && <>: <a href={allOf(upload, state.findings)}>show all</a></>}
            </li>
          )}
        </ul>
      );
  }
}
