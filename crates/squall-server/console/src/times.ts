// Times as somebody picks them: in the time zone of the reader on the page, in
// UTC in the address, which others may open elsewhere.

/** What is called by a name: how long ago the time begins. */
export const SPANS: [string, string][] = [
  ["", "any time"],
  ["1h", "the last hour"],
  ["24h", "the last day"],
  ["7d", "the last week"],
  ["30d", "the last 30 days"],
];

const two = (value: number) => String(value).padStart(2, "0");

/** Returns the moment that a condition names; `null` where it says how long ago that was, or nothing that is known. */
function moment(condition: string): Date | null {
  if (/^\d{1,12}$/.test(condition)) return new Date(Number(condition) * 1000);
  if (!/^\d{4}-\d{2}-\d{2}/.test(condition)) return null;
  const at = new Date(condition);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** Writes a condition as an input of the kind `datetime-local` has it; empty where it cannot. */
export function toInput(condition: string): string {
  const at = moment(condition);
  if (at === null) return "";
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Reads what is in the input. What says how long ago something was stays, while nothing else is chosen. */
export function fromInput(value: string, before: string): string {
  if (value === toInput(before)) return before;
  if (value === "") return "";
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().replace(/\.000Z$/, "Z");
}

/** Shows a condition to the reader. */
export function shownTime(condition: string): string {
  return moment(condition) === null ? condition : toInput(condition).replace("T", " ");
}

/** The name of the reader's time zone, and how far it is from UTC now. */
export function zone(): string {
  const minutes = -new Date().getTimezoneOffset();
  const size = Math.abs(minutes);
  const offset = `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name ? `${name}, ${offset}` : offset;
}
