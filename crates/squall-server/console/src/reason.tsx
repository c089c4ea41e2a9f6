// A signature that matched: what it says of itself, and the bytes it matched.

import { useState } from "preact/hooks";
import { around, Dump, printable } from "./hex";
import { Fact } from "./parts";
import { to } from "./router";
import { Reference, Text } from "./text";
import type { ContentExtracts, Matched, Reason } from "./types";

/** Matched strings that are shown of one signature. */
const SHOWN_MAX = 50;

export function ReasonView({ reason, content }: { reason: Reason; content: ContentExtracts }) {
  const { signature } = reason;
  const name = signature.rule_name ?? signature.kind;
  return (
    <article class="reason">
      <h3>
        <a href={to(["findings"], { rule: name })} title="All findings of this rule">
          <Text max={200}>{name}</Text>
        </a>{" "}
        <span class="badge">{signature.score}</span>
      </h3>
      {signature.description && (
        <p>
          <Text max={1000}>{signature.description}</Text>
        </p>
      )}
      <dl class="facts">
        <Fact name="Kind">
          {signature.kind}, {signature.origin}
        </Fact>
        {signature.author && (
          <Fact name="Author">
            <Text max={200}>{signature.author}</Text>
          </Fact>
        )}
        {signature.date && (
          <Fact name="Date">
            <Text max={60}>{signature.date}</Text>
          </Fact>
        )}
        {signature.id && (
          <Fact name="Id">
            <Text max={100}>{signature.id}</Text>
          </Fact>
        )}
        {signature.reference.length > 0 && (
          <Fact name="Reference">
            {signature.reference.map((reference) => (
              <div key={reference}>
                <Reference>{reference}</Reference>
              </div>
            ))}
          </Fact>
        )}
        {(signature.tags?.length ?? 0) > 0 && (
          <Fact name="Tags">
            {signature.tags?.map((tag) => (
              <a key={tag} class="tag" href={to(["findings"], { tag })}>
                <Text max={60}>{tag}</Text>
              </a>
            ))}
          </Fact>
        )}
        {(signature.false_positives?.length ?? 0) > 0 && (
          <Fact name="Known false positives">
            {signature.false_positives?.map((text) => (
              <div key={text}>
                <Text max={300}>{text}</Text>
              </div>
            ))}
          </Fact>
        )}
      </dl>
      {reason.matched.length > 0 && (
        <div class="scroll">
          <table class="matched">
            <thead>
              <tr>
                <th scope="col">Where</th>
                <th scope="col" class="number">
                  Offset
                </th>
                <th scope="col">Matched</th>
              </tr>
            </thead>
            <tbody>
              {reason.matched.slice(0, SHOWN_MAX).map((matched, index) => (
                <MatchedRow key={index} matched={matched} content={content} />
              ))}
            </tbody>
          </table>
          {reason.matched.length > SHOWN_MAX && <p class="sub">{reason.matched.length - SHOWN_MAX} more are not shown.</p>}
        </div>
      )}
    </article>
  );
}

/** What matched; its offset opens the bytes around it. */
function MatchedRow({ matched, content }: { matched: Matched; content: ContentExtracts }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <tr>
        <td>
          <Text max={60}>{matched.field.replace(/^\//, "")}</Text>
        </td>
        <td class="number">
          <button
            type="button"
            class="link"
            aria-expanded={open}
            aria-label={`Bytes at offset ${matched.offset}`}
            title={`0x${matched.offset.toString(16)}; show the bytes`}
            onClick={() => setOpen(!open)}
          >
            {matched.offset}
          </button>
        </td>
        <td class="mono">
          <Text max={300}>{printable(matched.data)}</Text>
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={3}>
            <Dump {...around(matched, content)} total={null} label={`Bytes around offset ${matched.offset}`} />
          </td>
        </tr>
      )}
    </>
  );
}
