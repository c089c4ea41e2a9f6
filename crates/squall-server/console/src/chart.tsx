// A chart over time (uPlot), with its figures as a table.

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { count } from "./format";
import "uplot/dist/uPlot.min.css";

export interface Series {
  label: string;
  /** The name of a colour of the style sheet. */
  color: string;
  values: number[];
}

const HEIGHT = 150;

export function Chart({ label, times, series }: { label: string; times: number[]; series: Series[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const names = series.map((one) => one.label).join();
  const latest = useRef({ times, series });
  latest.current = { times, series };
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = () => {
      const { times, series } = latest.current;
      plot.current?.destroy();
      plot.current = make(element, series, data(times, series));
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    // Colours are read when it is drawn.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    addEventListener("squall:theme", draw);
    return () => {
      dark.removeEventListener("change", draw);
      removeEventListener("squall:theme", draw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names]);
  useEffect(() => plot.current?.setData(data(times, series)), [times, series]);
  const sums = series.map((one) => `${one.label}: ${one.values.reduce((sum, value) => sum + value, 0)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <span>{label}</span>
        {series.length > 1 && (
          <span class="legend">
            {series.map((one) => (
              <span key={one.label} class={`key key-${one.color}`}>
                {one.label}
              </span>
            ))}
          </span>
        )}
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${label}, last ${times.length} minutes. Sums: ${sums}`} />
      <Figures label={label} times={times} series={series} />
    </figure>
  );
}

/** The minutes in which there was anything: for who does not see the lines, and behind a button for everybody. */
function Figures({ label, times, series }: { label: string; times: number[]; series: Series[] }) {
  const [open, setOpen] = useState(false);
  const minutes = times.map((time, index) => ({ time, values: series.map((one) => one.values[index] ?? 0) }));
  const busy = minutes.filter(({ values }) => values.some((value) => value > 0)).reverse();
  return (
    <>
      <button type="button" class="link figures" aria-expanded={open} aria-label={`${label}: figures`} onClick={() => setOpen(!open)}>
        Figures
      </button>
      {open && (
        <div class="scroll figures-table" tabIndex={0} role="region" aria-label={`${label} as figures`}>
          <table>
            <caption class="off-screen">{label}, the newest minute first; minutes without any are left out</caption>
            <thead>
              <tr>
                <th scope="col">Minute</th>
                {series.map((one) => (
                  <th key={one.label} scope="col" class="number">
                    {one.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {busy.map(({ time, values }) => (
                <tr key={time}>
                  <th scope="row">{clock(time)}</th>
                  {values.map((value, index) => (
                    <td key={index} class="number">
                      {count(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {busy.length === 0 && <p class="muted">None in the last {times.length} minutes.</p>}
        </div>
      )}
    </>
  );
}

function data(times: number[], series: Series[]): uPlot.AlignedData {
  return [times, ...series.map((one) => one.values)] as uPlot.AlignedData;
}

function make(element: HTMLElement, series: Series[], values: uPlot.AlignedData): uPlot {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: color("muted"),
    grid: { stroke: color("line"), width: 1 },
    ticks: { stroke: color("line"), width: 1 },
    font: "11px system-ui, sans-serif",
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      padding: [8, 18, 0, 0],
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
      axes: [
        { ...axis, size: 30, space: 60, values: (_plot, splits) => splits.map(clock) },
        { ...axis, size: 48, space: 28, values: (_plot, splits) => splits.map(short) },
      ],
      series: [
        {},
        ...series.map((one) => ({
          label: one.label,
          stroke: color(one.color),
          fill: `${color(one.color)}22`,
          width: 1.5,
          points: { show: false },
          paths: uPlot.paths.stepped?.({ align: 1 }),
        })),
      ],
    },
    values,
    element,
  );
}

function clock(seconds: number): string {
  const at = new Date(seconds * 1000);
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return Number.isInteger(value) ? String(value) : "";
}
