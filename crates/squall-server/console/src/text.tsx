// Names, sources and matched bytes are written by others. They are shown as
// text, and what a reader would not see is shown as an escape.

import type { ComponentChildren } from "preact";

// Controls, format characters (writing direction, zero width), separators,
// private use, unassigned and lone surrogates; spaces other than the usual one.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0]/u;
const PIECES = new RegExp(`(${UNSEEN.source})`, "u");

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    default:
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  }
}

/** Returns the text with escapes, for attributes and titles. */
export function visible(text: string): string {
  return text.split(PIECES).map((piece, index) => (index % 2 === 1 ? escape(piece) : piece)).join("");
}

/** Lets long names and paths break where a reader expects it. */
function breakable(text: string): ComponentChildren {
  const parts = text.split(/(?<=[_/\\|])(?=[^_/\\|])/);
  return parts.length === 1 ? text : parts.map((part, index) => [index > 0 && <wbr />, part]);
}

/** Shows foreign text. */
export function Text({ children, max }: { children: string; max?: number }) {
  const cut = max !== undefined && children.length > max;
  const text = cut ? children.slice(0, max) : children;
  const pieces = text.split(PIECES);
  return (
    <bdi class="foreign" title={cut ? `${visible(children.slice(0, 1000))} (${children.length} characters)` : undefined}>
      {pieces.map((piece, index) => (index % 2 === 1 ? <span class="escape">{escape(piece)}</span> : breakable(piece)))}
      {cut && <span class="escape">…</span>}
    </bdi>
  );
}

/** A link to what a rule refers to, if it is one; else the text. */
export function Reference({ children }: { children: string }) {
  return <Outside address={children}>{children}</Outside>;
}

/** A link to a page elsewhere; of another address than such a page's, the text alone. */
export function Outside({ address, children }: { address: string; children: string }) {
  if (!/^https?:\/\/[^\s]+$/i.test(address)) return <Text>{children}</Text>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer">
      <Text>{children}</Text>
    </a>
  );
}
