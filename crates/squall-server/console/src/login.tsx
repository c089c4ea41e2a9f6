// Logging in: the token is given to the service once, for a cookie that no
// script can read. It is kept nowhere here. Or at a provider: the service sends
// the browser there, and takes it back with the same cookie.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, change, get, LOGIN_NEEDED, post } from "./api";
import { Problem } from "./parts";
import { rights, useRights, Who } from "./session";
import { Text, visible } from "./text";
import type { Session } from "./types";

const PATH = "/api/v1/session";
/** Where the service sends a browser to the provider. */
const PROVIDER_PATH = "/oidc/login";
/** Where the reader was when he went there; for this tab only. */
const RETURN = "squall.return";

/** Shows its children to whoever may see them, and else asks for a token. */
export function Login({ children, begin }: { children: ComponentChildren; begin: () => void }) {
  const [session, setSession] = useState<Session | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const ask = () => {
    setError(null);
    get<Session>(PATH).then(setSession, setError);
  };
  useEffect(() => {
    ask();
    // A session ends: by itself, or because its token does.
    addEventListener(LOGIN_NEEDED, ask);
    return () => removeEventListener(LOGIN_NEEDED, ask);
  }, []);
  const isIn = session !== null && (!session.required || session.name !== null);
  if (isIn) comeBack();
  const reads = isIn && rights(session).read;
  useEffect(() => {
    if (reads) begin();
  }, [reads]);
  if (session === null) return <Problem error={error} retry={ask} />;
  return isIn ? <Who.Provider value={session}>{children}</Who.Provider> : <Form provider={session.provider} />;
}

/** Keeps where the reader is; the way to the provider and back forgets it. */
function keepPlace() {
  try {
    sessionStorage.setItem(RETURN, location.hash);
  } catch {
    // Storage may be forbidden; then he begins at the overview.
  }
}

/** Goes to where the reader was before he went to the provider. */
function comeBack() {
  try {
    const place = sessionStorage.getItem(RETURN);
    sessionStorage.removeItem(RETURN);
    if (place !== null && location.hash === "") history.replaceState(null, "", `/${place}`);
  } catch {
    // See above.
  }
}

function Form({ provider }: { provider?: string }) {
  const [token, setToken] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Log in – Squall";
  }, []);
  const send = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    // Afresh: nothing of whoever was here before is shown.
    post<Session>(PATH, { token: token.trim() }).then(
      () => location.reload(),
      (reason: ApiError) => {
        setBusy(false);
        setToken("");
        setError(reason);
      },
    );
  };
  return (
    <main id="main" class="login">
      <h1>Squall</h1>
      {provider !== undefined && (
        <p class="card provider">
          <a class="button primary" href={PROVIDER_PATH} onClick={keepPlace}>
            <Text>{provider}</Text>
          </a>
        </p>
      )}
      <form class="card" onSubmit={send}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus={provider === undefined}
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class={provider === undefined ? "primary" : ""} disabled={busy}>
          Log in
        </button>
        <Problem error={error} />
        <p class="muted">
          Made on the service's machine with <code>squall token create</code>.
        </p>
      </form>
    </main>
  );
}

/** Who is logged in, and the way out. */
export function Account() {
  const { session } = useRights();
  if (session.name === null) return null;
  const leave = () => {
    change("DELETE", PATH).finally(() => location.reload());
  };
  return (
    <span class="account">
      <span title={session.subject === undefined ? `Role: ${session.role}` : `Role: ${session.role}, known to the provider as ${visible(session.subject)}`}>
        <Text>{session.name}</Text>
      </span>
      <button type="button" onClick={leave}>
        Log out
      </button>
    </span>
  );
}
