// What an analyst makes of a finding.

import { useState } from "preact/hooks";
import { type ApiError, asError, change, post } from "./api";
import { count } from "./format";
import { Card, LOADS_AGAIN, Problem, ReviewMark, When, Working } from "./parts";
import { NotAllowed, useRights } from "./session";
import { remember, remembered } from "./storage";
import { Text } from "./text";
import type { FindingDetails, Review, ReviewState, Trusted } from "./types";

/** What was done, for those who do not see what changed. */
const SAID: Record<ReviewState, string> = {
  open: "It is open again.",
  reviewed: "It is marked as reviewed.",
  false_positive: "It is marked as a false positive.",
};

export function ReviewForm({ details, changed }: { details: FindingDetails; changed: () => void }) {
  const { review, summary, trusted } = details;
  const { act, analyst, session } = useRights();
  const [note, setNote] = useState("");
  const [who, setWho] = useState(remembered("who"));
  const [error, setError] = useState<ApiError | null>(null);
  const [working, setWorking] = useState<string | null>(null);
  const busy = working !== null;
  const [said, setSaid] = useState("");
  const [sure, setSure] = useState(false);
  const path = `/api/v1/findings/${encodeURIComponent(summary.event_id)}`;
  const send = (what: string, asked: Promise<string>) => {
    setWorking(what);
    setError(null);
    setSaid("");
    remember("who", who);
    asked
      .then((text) => {
        setNote("");
        setSure(false);
        setSaid(text);
        changed();
      })
      .catch((failed) => setError(asError(failed)))
      .finally(() => setWorking(null));
  };
  const set = (state: ReviewState) => send("the review is written.", post<Review>(`${path}/review`, { state, note, who }).then(() => SAID[state]));
  const trust = (all: boolean) =>
    send(
      LOADS_AGAIN,
      post<Trusted>(`${path}/trust`, { note, who, same_content: all }).then(
        ({ findings }) => `The content is trusted from now on. Marked as false positive: ${count(findings)} finding${findings === 1 ? "" : "s"}.`,
      ),
    );
  const distrust = () =>
    send(
      LOADS_AGAIN,
      change<unknown>("DELETE", `${path}/trust`, { note, who }).then(() => "The content is not trusted any more, and the finding is open again."),
    );
  return (
    <Card title="Review" id="review">
      {review !== null && <Reviewed review={review} />}
      {trusted !== null && (
        <div class="problem" role="note" data-trusted>
          <b>
            {details.trusted_in_force === false
              ? "This content is on the list of trusted ones, but the set in force does not have it (rolled back): it is still reported. A reload puts the list in force."
              : "This content is trusted: nothing is reported on it any more."}
          </b>{" "}
          <Text max={1000}>{trusted}</Text>
          {analyst && (
            <p>
              <button type="button" disabled={busy} onClick={distrust}>
                Stop trusting it
              </button>
            </p>
          )}
        </div>
      )}
      {act ? (
        <>
          <label class="field">
            <span>Note</span>
            <textarea rows={2} maxLength={4096} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
          </label>
          {session.name === null && (
            <label class="field">
              <span>Your name</span>
              <input type="text" maxLength={256} value={who} autocomplete="name" onInput={(event) => setWho(event.currentTarget.value)} />
            </label>
          )}
          <div class="actions">
            <button type="button" disabled={busy} onClick={() => set("reviewed")}>
              Mark as reviewed
            </button>
            <button type="button" disabled={busy} aria-expanded={sure} onClick={() => setSure(!sure)}>
              False positive…
            </button>
            {summary.review !== "open" && (
              <button type="button" disabled={busy} onClick={() => set("open")}>
                Open again
              </button>
            )}
          </div>
          {sure && <Sure details={details} busy={busy} mark={() => set("false_positive")} trust={trust} />}
        </>
      ) : (
        <NotAllowed what="A review" />
      )}
      <Working what={working} />
      <p role="status" class={said === "" ? "off-screen" : "good"}>
        {said}
      </p>
      <Problem error={error} />
    </Card>
  );
}

function Reviewed({ review }: { review: Review }) {
  return (
    <div class="reviewed" data-review={review.state}>
      <p>
        {review.state === "open" ? <span class="badge">Opened again</span> : <ReviewMark state={review.state} />} by{" "}
        <b>
          <Text max={256}>{review.who === "" ? "somebody" : review.who}</Text>
        </b>
        , <When>{review.time}</When>
      </p>
      {review.note !== "" && (
        <blockquote>
          <Text>{review.note}</Text>
        </blockquote>
      )}
    </div>
  );
}

/** What a false positive entails, before it is one. */
function Sure({
  details,
  busy,
  mark,
  trust,
}: {
  details: FindingDetails;
  busy: boolean;
  mark: () => void;
  trust: (all: boolean) => void;
}) {
  const { analyst } = useRights();
  const [trusts, setTrusts] = useState(true);
  const [all, setAll] = useState(true);
  const { summary, sightings } = details;
  const others = sightings.find((sighting) => sighting.by === "hash")?.findings ?? 0;
  const known = summary.sha256 !== null;
  const will = known && analyst && trusts;
  return (
    <div class="sure">
      {known && (
        <label class="choice">
          <input type="checkbox" checked={trusts && analyst} disabled={!analyst} onChange={() => setTrusts(!trusts)} />
          <span>
            Trust this content from now on
            <span class="sub">
              Its SHA-256 goes on the list console-trusted-hashes.txt, with your name and note. Nothing will be reported on it any more; the list is
              under Signatures.
            </span>
          </span>
        </label>
      )}
      {known && !analyst && <NotAllowed what="Trusting a content" />}
      {will && others > 0 && (
        <label class="choice">
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
          <span>
            Mark the other findings of this content as well
            <span class="sub">
              {count(others)}
              {others >= 1000 ? " or more" : ""} from all sources, 1,000 at most.
            </span>
          </span>
        </label>
      )}
      <button type="button" class="primary" disabled={busy} onClick={() => (will ? trust(all && others > 0) : mark())}>
        It is a false positive
      </button>
    </div>
  );
}
