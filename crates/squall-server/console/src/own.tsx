// Signature files that are written here: looked at before they go live.

import { useState } from "preact/hooks";
import { ApiError, change, get } from "./api";
import { bytes } from "./format";
import { useLoad } from "./load";
import { Card, Problem, When } from "./parts";
import { Text } from "./text";
import type { OwnFile, OwnFileOutcome } from "./types";

const EXAMPLE = `rule My_First_Rule {
    meta:
        description = "What it looks for"
        author = ""
        score = 75
    strings:
        $a = "something rare"
    condition:
        $a
}
`;

interface Draft {
  name: string;
  text: string;
  /** It is there already: its name stays. */
  known: boolean;
}

export function OwnFiles({ changed }: { changed: () => void }) {
  const { data, error, reload } = useLoad<{ files: OwnFile[] }>("/api/v1/signatures/own");
  const [draft, setDraft] = useState<Draft | null>(null);
  const [failed, setFailed] = useState<ApiError | null>(null);
  const [said, setSaid] = useState("");
  const fail = (error: unknown) => setFailed(error instanceof ApiError ? error : new ApiError(0, String(error)));
  const path = (name: string) => `/api/v1/signatures/own/${encodeURIComponent(name)}`;
  const done = (text: string) => {
    setDraft(null);
    setSaid(text);
    reload();
    changed();
  };
  const edit = (name: string) => {
    setFailed(null);
    setSaid("");
    get<OwnFile>(path(name))
      .then((file) => setDraft({ name, text: file.text ?? "", known: true }))
      .catch(fail);
  };
  const remove = (name: string) => {
    if (!confirm(`Remove ${name}? What it finds will not be found any more.`)) return;
    setFailed(null);
    change("DELETE", path(name))
      .then(() => done(`${name} is removed.`))
      .catch(fail);
  };
  return (
    <Card
      title="Your rules and lists"
      id="own"
      actions={
        draft === null && (
          <button type="button" class="primary" onClick={() => setDraft({ name: "", text: EXAMPLE, known: false })}>
            New file
          </button>
        )
      }
    >
      <Problem error={error ?? failed} retry={reload} />
      <p role="status" class={said === "" ? "off-screen" : "good"}>
        {said}
      </p>
      {draft !== null && <Editor key={draft.name} draft={draft} cancel={() => setDraft(null)} done={done} />}
      {draft === null && data !== null && data.files.length === 0 && (
        <p class="muted">None yet. A rule or a list of indicators that is written here is looked at first, and in force without a restart.</p>
      )}
      {draft === null && data !== null && data.files.length > 0 && (
        <div class="scroll">
          <table class="stacked">
            <caption class="off-screen">Your files</caption>
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Written</th>
                <th scope="col">Change</th>
              </tr>
            </thead>
            <tbody>
              {data.files.map((file) => (
                <tr key={file.name}>
                  <td class="strong">
                    <Text>{file.name}</Text>
                  </td>
                  <td class="number" data-name="Size">
                    {bytes(file.size_bytes)}
                  </td>
                  <td data-name="Written">
                    <When>{file.modified}</When>
                  </td>
                  <td>
                    <span class="actions">
                      <button type="button" aria-label={`Edit ${file.name}`} onClick={() => edit(file.name)}>
                        Edit
                      </button>
                      <button type="button" aria-label={`Remove ${file.name}`} onClick={() => remove(file.name)}>
                        Remove
                      </button>
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Editor({ draft, cancel, done }: { draft: Draft; cancel: () => void; done: (text: string) => void }) {
  const [name, setName] = useState(draft.name);
  const [text, setText] = useState(draft.text);
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<OwnFileOutcome | null>(null);
  const [failed, setFailed] = useState<ApiError | null>(null);
  const send = async (checkOnly: boolean) => {
    setBusy(true);
    setFailed(null);
    setOutcome(null);
    try {
      const answer = await change<OwnFileOutcome>("PUT", `/api/v1/signatures/own/${encodeURIComponent(name)}`, {
        text,
        check_only: checkOnly,
      });
      if (answer.in_force) done(`${name} is in force.`);
      else if (!checkOnly) done(`${name} is ${answer.message}.`);
      else setOutcome(answer);
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) setOutcome(error.body as OwnFileOutcome);
      else setFailed(error instanceof ApiError ? error : new ApiError(0, String(error)));
    } finally {
      setBusy(false);
    }
  };
  const upload = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (file === undefined) return;
    if (file.size > 1024 * 1024) {
      setFailed(new ApiError(0, "the file is larger than 1 MiB"));
      return;
    }
    setText(await file.text());
    if (!draft.known && name === "") setName(file.name);
  };
  return (
    <form
      class="editor"
      onSubmit={(event) => {
        event.preventDefault();
        send(false);
      }}
    >
      <label class="field">
        <span>Name: rules end in .yar; a list says what it holds, such as mine-hash-iocs.txt, mine-filename-iocs.txt, mine-trusted-hashes.txt</span>
        <input
          type="text"
          required
          value={name}
          disabled={draft.known}
          placeholder="mine.yar"
          spellcheck={false}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Text</span>
        <textarea class="code" spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Or take a file</span>
        <input type="file" accept=".yar,.yara,.txt,.json" onChange={(event) => upload(event.currentTarget)} />
      </label>
      <Problem error={failed} />
      {outcome !== null && (
        <div class={outcome.problems.some((problem) => problem.fatal) ? "problem" : "checked"} role="alert">
          {outcome.problems.length === 0 ? "No mistake was found." : outcome.message}
          <ul>
            {outcome.problems.map((problem, index) => (
              <li key={index}>
                {problem.line !== null && (
                  <b>
                    line {problem.line}
                    {problem.column !== null && `, column ${problem.column}`}:{" "}
                  </b>
                )}
                {!problem.fatal && "(warning) "}
                <Text>{problem.reason}</Text>
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || name === ""}>
          {busy ? "Working…" : "Check and put in force"}
        </button>
        <button type="button" disabled={busy || name === ""} onClick={() => send(true)}>
          Check only
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
