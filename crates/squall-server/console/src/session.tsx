// Who is asking, and what that lets him do: what a page cannot do for its
// reader is said before he tries.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { Text } from "./text";
import type { Session } from "./types";

const UNKNOWN: Session = { required: false, name: null, role: null, analyst: false, address: "" };

export const Who = createContext<Session>(UNKNOWN);

export interface Rights {
  session: Session;
  /** See what was found. */
  read: boolean;
  /** Change what everybody may change who reaches a service without tokens: reviews, retries, reloads. */
  act: boolean;
  /** What would let a sender hide its own samples, or see those of others. */
  analyst: boolean;
}

export function rights(session: Session): Rights {
  const is = (...roles: Session["role"][]) => !session.required || roles.includes(session.role);
  return { session, read: is("read", "admin"), act: is("admin"), analyst: session.analyst };
}

export function useRights(): Rights {
  return rights(useContext(Who));
}

/** Says who may, and what to set so that the reader may as well. */
export function NotAllowed({ what }: { what: string }) {
  const { session } = useRights();
  return (
    <p class="not-allowed" data-not-allowed>
      {session.required ? (
        <>
          {what} needs {session.subject === undefined && "a token with "}the role <b>admin</b>; yours {session.subject === undefined ? "has the role" : "is"} <b>{session.role ?? "none"}</b>.
        </>
      ) : (
        <>
          {what} is for analysts: from the service's own machine, or from an address that is named in the setting <code>analyst</code>. Yours is{" "}
          <code>
            <Text>{session.address}</Text>
          </code>
          .
        </>
      )}
    </p>
  );
}
