// Figures, sizes and times as people read them.

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return COUNT.format(value);
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

export function milliseconds(value: number | null): string {
  if (value === null) return "–";
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 10 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`;
}

export function microseconds(value: number): string {
  return value >= 1000 ? milliseconds(value / 1000) : `${value.toFixed(value >= 10 ? 0 : 1)} µs`;
}

export function duration(seconds: number): string {
  const parts: [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  for (const [index, [size, unit]] of parts.entries()) {
    if (seconds >= size || unit === "s") {
      const whole = Math.floor(seconds / size);
      const next = parts[index + 1];
      const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
      return rest > 0 && !(unit === "min" && whole >= 10) && next !== undefined ? `${whole} ${unit} ${rest} ${next[1]}` : `${whole} ${unit}`;
    }
  }
  return "0 s";
}

const two = (value: number) => String(value).padStart(2, "0");

/** In the time zone of the reader. */
export function time(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function ago(text: string, now: number): string {
  const seconds = Math.max(0, (now - new Date(text).getTime()) / 1000);
  return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}
