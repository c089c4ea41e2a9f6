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
  const [, redraw] = useState(0);
  const [queued, setQueued] = useState(remembered("mode") === "queue");
  const [source, setSource] = useState("");
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  useEffect(() => uploads.listen(() => redraw((n) => n + 1)), [uploads]);

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
      {uploads.all.length > 0 && <Results uploads={uploads} />}
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

function Results({ uploads }: { uploads: Uploads }) {
  const { all } = uploads;
  const ended = all.filter((upload) => upload.state.is === "done" || upload.state.is === "failed").length;
  return (
    <Card
      title={`${ended} of ${all.length} done`}
      id="results"
      actions={
        <button type="button" onClick={() => uploads.clear()}>
          Clear those done
        </button>
      }
    >
      <ul class="uploads" aria-live="polite">
        {all.slice(0, 500).map((upload) => (
          <li key={upload.id} data-upload={upload.state.is}>
            <div class="upload-name">
              <Text max={200}>{upload.name}</Text> <span class="sub">{bytes(upload.file.size)}</span>
            </div>
            <Progress upload={upload} again={() => uploads.again(upload)} />
          </li>
        ))}
      </ul>
      {all.length > 500 && <p class="muted">{all.length - 500} more are not shown.</p>}
    </Card>
  );
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
          <span class="bad" role="alert">
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
          {state.findings.map((finding) => (
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
        </ul>
      );
  }
}
