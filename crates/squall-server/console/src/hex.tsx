// The bytes around what matched, as a hex dump with offsets.

import type { ContentExtracts, EncodedData, Finding, Matched } from "./types";

const ROW = 16;
/** Rows of an extract that are shown at first. */
const ROWS_SHOWN = 16;
/** Bytes before and behind a match that are shown with it. */
const AROUND = 64;

export function decode(data: EncodedData): Uint8Array {
  if (data.encoding === "plain") return new TextEncoder().encode(data.data);
  const bytes = new Uint8Array(Math.floor(data.data.length / 2));
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Number.parseInt(data.data.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}

/** Shows bytes as text, those that are none as `\xHH`. */
export function printable(data: EncodedData): string {
  if (data.encoding === "plain") return data.data;
  let text = "";
  for (const byte of decode(data)) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  return text;
}

/** The places of the content that matched. */
function marks(finding: Finding): [number, number][] {
  return finding.reasons
    .flatMap((reason) => reason.matched)
    .filter((matched) => matched.field === "/content")
    .map((matched) => [matched.offset, matched.offset + decode(matched.data).length]);
}

export function Content({ finding }: { finding: Finding }) {
  const { elements, length } = finding.subject.content;
  if (elements.length === 0) return <p class="muted">No extract of the content is kept.</p>;
  const marked = marks(finding);
  return (
    <>
      {elements.map((element) => (
        <Dump
          key={element.offset}
          start={element.offset}
          bytes={decode(element.data)}
          marked={marked}
          total={length}
          label={`Bytes from offset ${element.offset}`}
        />
      ))}
    </>
  );
}

/** The bytes of a match with those around it: of the extracts, which have most of them, else those that were kept with it. */
export function around(matched: Matched, content: ContentExtracts): { start: number; bytes: Uint8Array; marked: [number, number][] } {
  const data = decode(matched.data);
  const from = matched.offset;
  const marked: [number, number][] = [[from, from + data.length]];
  for (const element of matched.field === "/content" ? content.elements : []) {
    if (from < element.offset) continue;
    const bytes = decode(element.data);
    const at = from - element.offset;
    if (at + data.length > bytes.length) continue;
    const first = Math.max(0, at - AROUND);
    return { start: element.offset + first, bytes: bytes.slice(first, at + data.length + AROUND), marked };
  }
  const context = matched.context === undefined ? data : decode(matched.context);
  const before = Math.min(Math.max(0, find(context, data)), from);
  return { start: from - before, bytes: context, marked };
}

/** Where the one is in the other; -1 for nowhere. */
function find(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at += 1) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

export function Dump({
  start,
  bytes,
  marked,
  total,
  label,
}: {
  start: number;
  bytes: Uint8Array;
  marked: [number, number][];
  /** The length of all of it, where that is known. */
  total: number | null;
  label: string;
}) {
  const end = start + bytes.length;
  const first = Math.floor(start / ROW) * ROW;
  const rows: number[] = [];
  for (let row = first; row < end && rows.length < 64 * ROWS_SHOWN; row += ROW) rows.push(row);
  const width = Math.max(8, (total ?? end).toString(16).length);
  const is = (at: number) => marked.some(([from, to]) => at >= from && at < to);
  return (
    <div class={rows.length > ROWS_SHOWN ? "hex tall" : "hex"} tabIndex={0} role="region" aria-label={label}>
      <table>
        <caption>
          Offset {start} (0x{start.toString(16)}), {bytes.length}
          {total === null ? "" : ` of ${total}`} bytes
        </caption>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <th scope="row">{row.toString(16).padStart(width, "0")}</th>
              <td class="hex-bytes">{cells(row, start, bytes, is, (byte) => byte.toString(16).padStart(2, "0"), "  ", " ")}</td>
              <td class="hex-text">{cells(row, start, bytes, is, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"), " ", "")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** One row: runs of bytes that matched and that did not. */
function cells(
  row: number,
  start: number,
  bytes: Uint8Array,
  is: (at: number) => boolean,
  show: (byte: number) => string,
  none: string,
  gap: string,
) {
  const runs: { on: boolean; text: string }[] = [];
  for (let at = row; at < row + ROW; at += 1) {
    const byte = bytes[at - start];
    const on = byte !== undefined && is(at);
    const text = byte === undefined ? none : show(byte);
    const space = at === row ? "" : at === row + ROW / 2 && gap !== "" ? "  " : gap;
    const last = runs.at(-1);
    if (last !== undefined && last.on === on) last.text += space + text;
    else {
      if (space !== "") runs.push({ on: false, text: space });
      runs.push({ on, text });
    }
  }
  return runs.map((run, index) => (run.on ? <mark key={index}>{run.text}</mark> : <span key={index}>{run.text}</span>));
}
