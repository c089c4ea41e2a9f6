// What an analyst makes of a finding.

import { useState } from "preact/hooks";
import { ApiError, post } from "./api";
import { Card, Problem, ReviewMark, When } from "./parts";
import { remember, remembered } from "./storage";
import { Text } from "./text";
import type { FindingDetails, Review, ReviewState } from "./types";

export function ReviewForm({ details, changed }: { details: FindingDetails; changed: () => void }) {
  const { review, summary } = details;
  const [note, setNote] = useState("");
  const [who, setWho] = useState(remembered("who"));
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [trust, setTrust] = useState(true);
  const [sure, setSure] = useState(false);
  const path = `/api/v1/findings/${encodeURIComponent(summary.event_id)}`;
  const set = (state: ReviewState) => {
    setBusy(true);
    setError(null);
    setSure(false);
    remember("who", who);
    const asked =
      state === "false_positive" && trust && summary.sha256 !== null
        ? post<unknown>(`${path}/trust`, { note, who })
        : post<Review>(`${path}/review`, { state, note, who });
    asked
      .then(() => {
        setNote("");
        changed();
      })
      .catch((failed) => setError(failed instanceof ApiError ? failed : new ApiError(0, String(failed))))
      .finally(() => setBusy(false));
  };
  return (
    <Card title="Review" id="review">
      {review !== null && (
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
      )}
      <label class="field">
        <span>Note</span>
        <textarea rows={2} maxLength={4096} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Your name</span>
        <input type="text" maxLength={256} value={who} autocomplete="name" onInput={(event) => setWho(event.currentTarget.value)} />
      </label>
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
      {sure && (
        <div class="sure">
          {summary.sha256 !== null && (
            <label class="choice">
              <input type="checkbox" checked={trust} onChange={() => setTrust(!trust)} />
              <span>
                Trust this content from now on
                <span class="sub">
                  Its SHA-256 goes on the list console-trusted-hashes.txt, with your name and note. Nothing will be reported on it any more; the list is
                  under Signatures.
                </span>
              </span>
            </label>
          )}
          <button type="button" class="primary" disabled={busy} onClick={() => set("false_positive")}>
            It is a false positive
          </button>
        </div>
      )}
      <Problem error={error} />
    </Card>
  );
}
