// The file that is being written. It stays while the tab lives, whatever page
// is shown meanwhile: a rule is the work of an hour.

import { useEffect, useState } from "preact/hooks";

export interface Draft {
  name: string;
  text: string;
  /** What the text was when it was opened. */
  opened: string;
  /** It is there already: its name stays. */
  known: boolean;
  /** Of the text that this is a change of; `null` of a new one, and where the service tells none. */
  digest: string | null;
  /** What was written here, while the text is that of somebody else. */
  mine: string | null;
}

let current: Draft | null = null;
const listeners = new Set<() => void>();

export function unsaved(draft: Draft | null): boolean {
  return draft !== null && (draft.text !== draft.opened || draft.mine !== null);
}

/** Puts another draft, or none, in place of the one there was. */
export function setDraft(draft: Draft | null): void {
  current = draft;
  for (const listener of listeners) listener();
}

/** Changes the draft, if there is one. */
export function changeDraft(change: Partial<Draft>): void {
  if (current !== null) setDraft({ ...current, ...change });
}

export function useDraft(): Draft | null {
  const [draft, show] = useState(current);
  useEffect(() => {
    const changed = () => show(current);
    listeners.add(changed);
    changed();
    return () => {
      listeners.delete(changed);
    };
  }, []);
  return draft;
}

addEventListener("beforeunload", (event) => {
  if (unsaved(current)) event.preventDefault();
});
