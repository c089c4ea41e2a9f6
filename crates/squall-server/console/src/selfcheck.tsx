// Whether everything is as it should be, as far as the service can tell.

import { useLive } from "./live";
import { useLoad } from "./load";
import { Card, Problem } from "./parts";
import { Text } from "./text";
import type { CheckState, SelfCheck as Body } from "./types";

const WORDS: Record<CheckState, string> = { ok: "ok", attention: "attention", bad: "not ok" };

export function SelfCheck() {
  const { overview } = useLive();
  // Again when something changes that a check is about.
  const version = overview && `${overview.storage.ok} ${overview.samples.failed} ${overview.signatures?.version} ${overview.findings?.behind}`;
  const { data, error, reload } = useLoad<Body>("/api/v1/self-check", version);
  return (
    <Card
      title="Self-check"
      id="self-check"
      actions={
        <button type="button" onClick={reload}>
          Check again
        </button>
      }
    >
      <Problem error={error} retry={reload} />
      {data !== null && (
        <ul class="checks" data-state={data.state}>
          {data.checks.map((check) => (
            <li key={check.name} data-check={check.state}>
              <span class={`badge check-${check.state}`}>{WORDS[check.state]}</span> <b>{check.name}</b>: <Text max={1000}>{check.message}</Text>
              {check.details.length > 0 && (
                <ul class="lines sub">
                  {check.details.map((detail, index) => (
                    <li key={index}>
                      <Text max={1000}>{detail}</Text>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
