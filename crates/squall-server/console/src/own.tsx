// Signature files that are written here: looked at before they go live.

import { useState } from "preact/hooks";
import { ApiError, asError, change, get } from "./api";
import { changeDraft, type Draft, setDraft, unsaved, useDraft } from "./draft";
import { bytes } from "./format";
import { useLoad } from "./load";
import { Card, LOADS_AGAIN, Problem, When, Working } from "./parts";
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

/** What a service answers when the file is not what the change was made of. */
const CHANGED = 412;

const path = (name: string) => `/api/v1/signatures/own/${encodeURIComponent(name)}`;

/** The change is meant for this text only. */
function onlyOf(digest: string | null | undefined): Record<string, string> {
  return digest === null || digest === undefined ? {} : { "If-Match": `"${digest}"` };
}

/** The draft that begins with a file as it is there. */
function opened(file: OwnFile): Draft {
  const text = file.text ?? "";
  return { name: file.name, text, opened: text, known: true, digest: file.digest ?? null, mine: null };
}

export function OwnFiles({ changed, rolledBack }: { changed: () => void; rolledBack: string | null }) {
  const { data, error, reload } = useLoad<{ files: OwnFile[] }>("/api/v1/signatures/own");
  const draft = useDraft();
  const [failed, setFailed] = useState<ApiError | null>(null);
  const [said, setSaid] = useState("");
  const [working, setWorking] = useState<string | null>(null);
  const busy = working !== null;
  const begin = (draft: Draft | null) => {
    setFailed(null);
    setSaid("");
    setDraft(draft);
  };
  const done = (text: string) => {
    begin(null);
    setSaid(text);
    reload();
    changed();
  };
  const edit = (name: string) => {
    setFailed(null);
    setSaid("");
    get<OwnFile>(path(name))
      .then((file) => begin(opened(file)))
      .catch((error) => setFailed(asError(error)));
  };
  const remove = ({ name, digest }: OwnFile) => {
    if (!confirm(`Remove ${name}? What it finds will not be found any more.`)) return;
    setFailed(null);
    setSaid("");
    setWorking(`${name} is removed, and ${LOADS_AGAIN}`);
    change("DELETE", path(name), undefined, onlyOf(digest))
      .then(() => done(`${name} is removed.`))
      .catch((error) => {
        const failed = asError(error);
        setFailed(failed.status === CHANGED ? new ApiError(CHANGED, `${name} is not removed: somebody changed it meanwhile. Look at it again.`) : failed);
        reload();
      })
      .finally(() => setWorking(null));
  };
  return (
    <Card
      title="Your rules and lists"
      id="own"
      actions={
        draft === null && (
          <button type="button" class="primary" disabled={busy} onClick={() => begin({ name: "", text: EXAMPLE, opened: EXAMPLE, known: false, digest: null, mine: null })}>
            New file
          </button>
        )
      }
    >
      {rolledBack !== null && (
        <p class="problem" role="note" data-note="own-rolled-back">
          The set in force is the one before version <Text>{rolledBack}</Text>, which was rolled back: what is listed here is not in force as it is. A
          reload puts it in force.
        </p>
      )}
      <Problem error={error ?? failed} retry={failed === null ? reload : undefined} />
      <Working what={working} />
      <p role="status" class={said === "" ? "off-screen" : "good"}>
        {said}
      </p>
      {draft !== null && <Editor draft={draft} done={done} />}
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
                      <button type="button" disabled={busy} aria-label={`Edit ${file.name}`} onClick={() => edit(file.name)}>
                        Edit
                      </button>
                      <button type="button" disabled={busy} aria-label={`Remove ${file.name}`} onClick={() => remove(file)}>
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

function Editor({ draft, done }: { draft: Draft; done: (text: string) => void }) {
  const { name, text, known, digest, mine } = draft;
  const [working, setWorking] = useState<string | null>(null);
  const busy = working !== null;
  const [outcome, setOutcome] = useState<OwnFileOutcome | null>(null);
  const [failed, setFailed] = useState<ApiError | null>(null);
  const [conflict, setConflict] = useState<string | null>(null);
  const send = async (checkOnly: boolean) => {
    setWorking(checkOnly ? "the text is compiled and looked at." : `the text is looked at, and ${LOADS_AGAIN}`);
    setFailed(null);
    setOutcome(null);
    setConflict(null);
    // A text that is only looked at is in nobody's way.
    const only = checkOnly ? {} : known ? onlyOf(digest) : { "If-None-Match": "*" };
    try {
      const answer = await change<OwnFileOutcome>("PUT", path(name), { text, check_only: checkOnly }, only);
      if (answer.in_force) done(`${name} is in force.`);
      else if (!checkOnly) done(`${name} is ${answer.message}.`);
      else setOutcome(answer);
    } catch (error) {
      const failed = asError(error);
      if (failed.status === 422) setOutcome(failed.body as OwnFileOutcome);
      else if (failed.status === CHANGED) {
        setConflict(
          known
            ? `Somebody changed or removed ${name} since you opened it. What you wrote is kept here, and is not in force.`
            : `There is a file ${name} already: somebody made it, perhaps meanwhile. What you wrote is kept here, and is not in force.`,
        );
      } else setFailed(failed);
    } finally {
      setWorking(null);
    }
  };
  const theirs = async () => {
    setFailed(null);
    try {
      const file = await get<OwnFile>(path(name));
      setDraft({ ...opened(file), mine: mine ?? text });
      setConflict(null);
    } catch (error) {
      const failed = asError(error);
      if (failed.status !== 404) return setFailed(failed);
      changeDraft({ known: false, digest: null, opened: "" });
      setConflict(null);
      setFailed(new ApiError(404, `${name} was removed meanwhile. What you wrote can be put in force as a new file.`));
    }
  };
  const upload = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (file === undefined) return;
    if (file.size > 1024 * 1024) {
      setFailed(new ApiError(0, "the file is larger than 1 MiB"));
      return;
    }
    changeDraft({ text: await file.text(), ...(!known && name === "" ? { name: file.name } : {}) });
  };
  const cancel = () => {
    if (!unsaved(draft) || confirm("Discard what you wrote?")) setDraft(null);
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
          disabled={known}
          placeholder="mine.yar"
          spellcheck={false}
          onInput={(event) => changeDraft({ name: event.currentTarget.value })}
        />
      </label>
      <label class="field">
        <span>Text</span>
        <textarea class="code" spellcheck={false} value={text} onInput={(event) => changeDraft({ text: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span>Or take a file</span>
        <input type="file" accept=".yar,.yara,.txt,.json" onChange={(event) => upload(event.currentTarget)} />
      </label>
      {conflict !== null && (
        <div class="problem" role="alert" data-conflict>
          <Text>{conflict}</Text>
          <button type="button" onClick={theirs}>
            Load theirs
          </button>
        </div>
      )}
      {mine !== null && (
        <div class="problem" role="note" data-theirs>
          This is the text as it is now. What you wrote is kept.
          <button type="button" onClick={() => changeDraft({ text: mine, mine: null })}>
            Back to what I wrote
          </button>
        </div>
      )}
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
      <Working what={working} />
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || name === ""}>
          Check and put in force
        </button>
        <button type="button" disabled={busy || name === ""} onClick={() => send(true)}>
          Check only
        </button>
        <button type="button" disabled={busy} onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
