// Logging in: the token is given to the service once, for a cookie that no
// script can read. It is kept nowhere here.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, change, get, LOGIN_NEEDED, post } from "./api";
import { Problem } from "./parts";
import { rights, useRights, Who } from "./session";
import { Text } from "./text";
import type { Session } from "./types";

const PATH = "/api/v1/session";

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
  const reads = isIn && rights(session).read;
  useEffect(() => {
    if (reads) begin();
  }, [reads]);
  if (session === null) return <Problem error={error} retry={ask} />;
  return isIn ? <Who.Provider value={session}>{children}</Who.Provider> : <Form />;
}

function Form() {
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
      <form class="card" onSubmit={send}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="primary" disabled={busy}>
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
      <span title={`Role: ${session.role}`}>
        <Text>{session.name}</Text>
      </span>
      <button type="button" onClick={leave}>
        Log out
      </button>
    </span>
  );
}
