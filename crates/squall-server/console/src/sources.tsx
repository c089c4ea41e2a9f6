// Where the signatures come from, and asking there for something new.

import { useState } from "preact/hooks";
import { type ApiError, asError, post } from "./api";
import { bytes, count } from "./format";
import { useLoad } from "./load";
import { Card, Problem, When, Working } from "./parts";
import { useRights } from "./session";
import { Text } from "./text";
import type { SignatureSources } from "./types";

const KINDS: Record<SignatureSources["sources"][number]["kind"], string> = {
  built_in: "built in",
  packaged: "packaged",
  custom: "custom",
  fetched: "fetched",
  by_hand: "by hand",
  own: "written here",
};

export function SignaturePlaces({ version, changed }: { version: string; changed: () => void }) {
  const { data, error, reload } = useLoad<SignatureSources>("/api/v1/signatures/sources", version);
  const { analyst } = useRights();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<ApiError | null>(null);
  const [said, setSaid] = useState("");
  const fetched = data?.sources.some((source) => source.kind === "fetched") ?? false;
  const update = () => {
    setBusy(true);
    setFailed(null);
    setSaid("");
    post("/api/v1/signatures/update")
      .then(() => setSaid("Every source was asked."))
      .catch((error) => setFailed(asError(error)))
      .finally(() => {
        setBusy(false);
        reload();
        changed();
      });
  };
  return (
    <Card
      title="Where they come from"
      id="places"
      actions={
        fetched &&
        analyst && (
          <button type="button" disabled={busy} onClick={update}>
            {busy ? "Updating…" : "Update now"}
          </button>
        )
      }
    >
      <Problem error={error} retry={reload} />
      <Working what={busy ? "every source is asked; what is new is loaded, which may take as long as a reload." : null} />
      <Problem error={failed} />
      <p role="status" class={said === "" ? "off-screen" : "good"}>
        {said}
      </p>
      {data !== null && (
        <>
          <div class="scroll">
            <table class="stacked places">
              <caption class="off-screen">Places that signatures are read from</caption>
              <thead>
                <tr>
                  <th scope="col">Place</th>
                  <th scope="col">Kind</th>
                  <th scope="col" class="number">
                    Rules
                  </th>
                  <th scope="col" class="number">
                    Not usable
                  </th>
                  <th scope="col">Last asked</th>
                </tr>
              </thead>
              <tbody>
                {data.sources.map((source) => (
                  <tr key={`${source.kind} ${source.location}`}>
                    <td class="strong">
                      <Text max={300}>{source.location}</Text>
                      {source.bundle !== null && (
                        <div class="sub">
                          {bytes(source.bundle.size_bytes)}, fetched <When>{source.bundle.fetched_at}</When>, sha256 {source.bundle.sha256.slice(0, 12)}…
                        </div>
                      )}
                    </td>
                    <td data-name="Kind">{KINDS[source.kind]}</td>
                    <td class="number" data-name="Rules">
                      {count(source.rules)}
                    </td>
                    <td class="number" data-name="Not usable">
                      {count(source.skipped)}
                    </td>
                    <td data-name="Last asked">
                      {source.checked === null ? (
                        <span class="muted">{source.kind === "fetched" ? "not since the start" : "–"}</span>
                      ) : (
                        <>
                          <span class={`badge outcome-${source.checked.outcome === "updated" ? "replaced" : source.checked.outcome}`}>
                            {source.checked.outcome}
                          </span>{" "}
                          <When relative>{source.checked.at}</When>
                          {source.checked.error !== null && (
                            <div class="bad">
                              <Text max={500}>{source.checked.error}</Text>
                            </div>
                          )}
                        </>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="sub">
            {fetched
              ? data.update_interval_hours === null
                ? "What is fetched is updated on request only."
                : `What is fetched is updated every ${data.update_interval_hours === 1 ? "hour" : `${data.update_interval_hours} hours`}.`
              : "Nothing is fetched from the network: signature-sources is not set."}
          </p>
        </>
      )}
    </Card>
  );
}
