// Sends files of this browser, a few at a time, and shows what comes back.

import { useEffect, useRef, useState } from "preact/hooks";
import { bytes } from "../format";
import { Card, LevelBadge } from "../parts";
import { to } from "../router";
import { remember, remembered } from "../storage";
import { Text, visible } from "../text";
import { collect, Uploads, type Upload } from "../upload";

export function Submit() {
  const [uploads] = useState(() => Uploads.shared());
  const [, redraw] = useState(0);
  const [queued, setQueued] = useState(remembered("mode") === "queue");
  const [source, setSource] = useState("");
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  useEffect(() => uploads.listen(() => redraw((n) => n + 1)), [uploads]);

  const add = (list: { file: File; name: string }[]) => uploads.add(list, { queued, source });
  const chosen = (input: HTMLInputElement | null) => {
    if (input === null || input.files === null) return;
    add([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
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
          <input ref={files} type="file" multiple hidden aria-label="Files to send" onChange={() => chosen(files.current)} />
          <input
            ref={folder}
            type="file"
            multiple
            hidden
            aria-label="Folder to send"
            {...{ webkitdirectory: true }}
            onChange={() => chosen(folder.current)}
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
      {uploads.all.length > 0 && <Results uploads={uploads} />}
    </>
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

function Progress({ upload, again }: { upload: Upload; again: () => void }) {
  const { state } = upload;
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
          <button type="button" aria-label={`Send ${visible(upload.name)} again`} onClick={again}>
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
              <a href={to(["findings", finding.meta.event_id ?? ""])}>
                <Text max={120}>{finding.reasons[0]?.signature.rule_name ?? finding.message}</Text>
              </a>
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
