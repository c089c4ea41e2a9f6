// The API for those who write programs: every operation of the API document,
// with its request for a shell, and tried out where it changes nothing.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, failure, OWN_HEADER } from "../api";
import { bytes } from "../format";
import { useLoad } from "../load";
import { address, type Body, curl, type Document, type Endpoint, endpoints, forAnalysts, oneLine, role, shape, types } from "../openapi";
import { Card, Command, Problem } from "../parts";
import { go, type Route, to } from "../router";
import { useRights } from "../session";
import { Text } from "../text";

export function Api({ route }: { route: Route }) {
  const { data, error, reload } = useLoad<Document>("/openapi.json");
  const q = route.parameters.q ?? "";
  const all = useMemo(() => (data === null ? [] : endpoints(data)), [data]);
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const meant = all.filter((one) => {
    const text = [one.method, one.path, one.summary, one.description, one.operationId].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return (
    <>
      <Card title="For programs" id="about-api">
        <p>
          Everything the console shows and does goes through these operations. Programs read the <a href="/openapi.json">OpenAPI document</a>;
          clients of the original service use those of the groups v0 and v1.
        </p>
        <form class="filters filter-row" role="search" onSubmit={(event) => event.preventDefault()}>
          <input
            type="search"
            value={q}
            aria-label="Search the API"
            placeholder="Words in path, name or description"
            onInput={(event) => go(to(["api"], { q: event.currentTarget.value }), true)}
          />
        </form>
        <Problem error={error} retry={reload} />
        {data !== null && meant.length === 0 && <p class="muted">No operation has all these words.</p>}
      </Card>
      {data?.tags?.map((tag) => {
        const own = meant.filter((one) => one.tags?.[0] === tag.name);
        if (own.length === 0) return null;
        return (
          <Card key={tag.name} title={tag.name} id={`tag-${tag.name}`}>
            <p class="sub">{tag.description}</p>
            {own.map((one) => (
              <OneOperation key={one.operationId} document={data} endpoint={one} />
            ))}
          </Card>
        );
      })}
    </>
  );
}

function OneOperation({ document, endpoint }: { document: Document; endpoint: Endpoint }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="operation" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="badge method">{endpoint.method}</span> <code>{endpoint.path}</code> <span class="sub">{endpoint.summary}</span>
      </summary>
      {open && <Details document={document} endpoint={endpoint} />}
    </details>
  );
}

function Details({ document, endpoint }: { document: Document; endpoint: Endpoint }) {
  const { session } = useRights();
  const [values, setValues] = useState<Record<string, string>>({});
  const needed = role(endpoint);
  const parameters = endpoint.parameters ?? [];
  const trial = useTrial(endpoint, values);
  return (
    <form
      class="operation-body"
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        trial.send();
      }}
    >
      {endpoint.description && (
        <p>
          <Prose>{endpoint.description}</Prose>
        </p>
      )}
      <p class="sub">
        {needed === null ? "Needs no token." : `Needs the role ${needed}, where the service asks for tokens.`}
        {session.required && needed !== null && " The command takes yours from the variable TOKEN."}
        {forAnalysts(endpoint) && (
          <>
            {" "}
            Where it asks for none, it is for analysts: from the service's own machine, or from an address that the setting <code>analyst</code> names.
          </>
        )}
      </p>
      {parameters.length > 0 && (
        <div class="scroll">
          <table class="stacked">
            <caption class="off-screen">Parameters of {endpoint.path}</caption>
            <thead>
              <tr>
                <th scope="col">Parameter</th>
                <th scope="col">What it is</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {parameters.map(({ name, description, required, schema, in: place }) => (
                <tr key={name}>
                  <td>
                    <code class="strong">{name}</code>{" "}
                    <div class="sub">
                      {place}, {types(schema)}
                      {required && ", required"}
                    </div>
                  </td>
                  <td>
                    <Prose>{description}</Prose>
                  </td>
                  <td>
                    <input
                      type="text"
                      aria-label={`${name} of ${endpoint.operationId}`}
                      value={values[name] ?? ""}
                      onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {endpoint.requestBody && <Shape title="Body" body={endpoint.requestBody} document={document} />}
      <Command text={curl(endpoint, values, location.origin, session.required)} label={`Command for ${endpoint.operationId}`} />
      {location.protocol === "https:" && (
        <p class="sub" data-cacert>
          Where this machine does not know who signed the certificate of the service, add <code>--cacert ca.pem</code>.
        </p>
      )}
      {endpoint.requestBody?.content?.["application/json"] && (
        <p class="sub">
          The body is read from the file <code>body.json</code>.
        </p>
      )}
      <Try endpoint={endpoint} trial={trial} />
      <Answers document={document} endpoint={endpoint} />
    </form>
  );
}

function Answers({ document, endpoint }: { document: Document; endpoint: Endpoint }) {
  return (
    <>
      <h3>Answers</h3>
      <dl class="facts">
        {Object.entries(endpoint.responses).map(([status, answer]) => (
          <div key={status}>
            <dt>{status}</dt>
            <dd>
              <Prose>{answer.description}</Prose>
            </dd>
          </div>
        ))}
      </dl>
      {Object.entries(endpoint.responses)
        .filter(([status]) => status.startsWith("2"))
        .map(([status, answer]) => (
          <Shape key={status} title={`Body of ${status}`} body={answer} document={document} />
        ))}
    </>
  );
}

function Shape({ title, body, document }: { title: string; body: Body; document: Document }) {
  return (
    <>
      {Object.entries(body.content ?? {}).map(([kind, { schema }]) => (
        <details key={kind}>
          <summary>
            {title}: <code>{kind}</code>
          </summary>
          <pre class="shape" tabIndex={0} role="region" aria-label={title}>
            {schema === undefined ? "no fixed shape" : shape(schema, document)}
          </pre>
        </details>
      ))}
    </>
  );
}

/** A description of the document, whose names of things stand between backquotes. */
function Prose({ children }: { children: string | undefined }) {
  const parts = oneLine(children).split("`");
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}

/** Most of an answer that is taken, and most of it that is shown. */
const TAKEN_MAX_BYTES = 256 * 1024;
const SHOWN_MAX = 20_000;

interface Answer {
  status: number;
  text: string;
  bytes: number;
  /** There was more, which was not taken. */
  cut: boolean;
}

interface Trial {
  /** Whether it can be tried out: it changes nothing, and answers with text. */
  possible: boolean;
  /** Something that is required has no value. */
  missing: boolean;
  running: boolean;
  answer: Answer | null;
  error: ApiError | null;
  send: () => void;
}

/** Sends a request that changes nothing, as the reader of the page. */
function useTrial(endpoint: Endpoint, values: Record<string, string>): Trial {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [running, setRunning] = useState(false);
  const asked = useRef<AbortController | null>(null);
  useEffect(() => () => asked.current?.abort(), []);
  const isText = Object.keys(endpoint.responses["200"]?.content ?? {}).every((kind) => /json|csv|text\/plain/.test(kind));
  const possible = endpoint.method === "GET" && isText;
  const missing = (endpoint.parameters ?? []).some(({ name, required }) => required && (values[name] ?? "") === "");
  const send = async () => {
    if (!possible || missing) return;
    // Of two answers the one that was asked for last counts, whichever comes first.
    asked.current?.abort();
    const own = new AbortController();
    asked.current = own;
    setRunning(true);
    setError(null);
    try {
      const response = await fetch(address(endpoint, values), { headers: OWN_HEADER, cache: "no-store", credentials: "same-origin", signal: own.signal });
      const begin = await beginning(response);
      if (own.signal.aborted) return;
      setAnswer({ ...begin, status: response.status, text: begin.cut ? begin.text : indented(begin.text) });
      if (!response.ok) setError(failure(response.status, begin.text, response.headers.get("Retry-After")));
    } catch {
      if (own.signal.aborted) return;
      setAnswer(null);
      setError(new ApiError(0, "the service does not answer"));
    }
    setRunning(false);
  };
  return { possible, missing, running, answer, error, send };
}

/** Takes an answer up to a bound, and has the rest of it not sent: an export may be larger than the memory of a browser. */
async function beginning(response: Response): Promise<{ text: string; bytes: number; cut: boolean }> {
  const reader = response.body?.getReader();
  if (reader === undefined) return { text: "", bytes: 0, cut: false };
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), bytes, cut: false };
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
    if (bytes > TAKEN_MAX_BYTES) {
      await reader.cancel();
      return { text, bytes, cut: true };
    }
  }
}

function Try({ endpoint, trial }: { endpoint: Endpoint; trial: Trial }) {
  const { possible, missing, running, answer, error } = trial;
  if (!possible) return null;
  return (
    <>
      <p>
        <button type="submit" disabled={missing || running}>
          {running ? "Asking…" : "Try it"}
        </button>{" "}
        {missing && <span class="sub">It needs a value for what is required.</span>}
      </p>
      <Problem error={error} />
      <p class={answer === null && !running ? "off-screen" : "sub"} role="status">
        {running ? "Asking…" : answer !== null && told(answer)}
      </p>
      {answer !== null && (
        <pre class="shape" tabIndex={0} role="region" aria-label={`Answer of ${endpoint.operationId}`} aria-busy={running}>
          <Lines text={answer.text.slice(0, SHOWN_MAX)} />
        </pre>
      )}
    </>
  );
}

function told({ status, text, bytes: size, cut }: Answer): string {
  if (cut) return `Status ${status}; after ${bytes(size)} no more was taken, and only the beginning is shown`;
  return `Status ${status}, ${bytes(size)}${text.length > SHOWN_MAX ? "; only its beginning is shown" : ""}`;
}

/** Foreign text that keeps its lines. */
function Lines({ text }: { text: string }) {
  return (
    <>
      {text.split("\n").map((line, index) => (
        <div key={index}>
          <Text>{line}</Text>
        </div>
      ))}
    </>
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
