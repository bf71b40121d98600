/** Phone time by day as bars: one stop of the keyboard, walked with the arrow keys, and each bar says itself. */
import { type KeyboardEvent, useRef, useState } from "react";
import { durationWords, moneyWords } from "../../../shared/billing/words.ts";
import { nextBar, scaleTop, type UsageBar } from "./model/usage-bars.ts";
import { dayWords } from "./model/usage-range.ts";

export interface UsageChartProps {
  readonly bars: readonly UsageBar[];
  readonly currency: string;
  /** What all of it is, while no bar is pointed at. */
  readonly whole: string;
  /** The bar whose intervals are listed. */
  readonly chosen: string | undefined;
  readonly onChoose: (bar: UsageBar | undefined) => void;
}

const HEIGHT = 120;

export function UsageChart({ bars, currency, whole, chosen, onChoose }: UsageChartProps) {
  const [stop, setStop] = useState(bars.length - 1);
  const [pointed, setPointed] = useState<number>();
  const root = useRef<SVGSVGElement>(null);
  const top = scaleTop(bars);
  const width = 100 / bars.length;
  const current = Math.min(stop, bars.length - 1);
  const chosenBar = bars.find(({ from }) => from === chosen);
  const shown = pointed === undefined ? chosenBar : bars[pointed];
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const bar = bars[current];
      onChoose(bar?.from === chosen ? undefined : bar);
      return;
    }
    const next = nextBar(event.key, current, bars.length);
    if (next === undefined) return;
    event.preventDefault();
    setStop(next);
    root.current?.querySelectorAll<SVGGElement>("[role=button]")[next]?.focus();
  };
  return (
    <div className="chart">
      <p className="chart-readout tabular">
        {shown === undefined ? (
          whole
        ) : (
          <>
            <b>{shown.words}</b> {barWords(shown, currency)}
          </>
        )}
      </p>
      <div className="chart-plot">
        <span className="chart-top secondary tabular">{durationWords(top)}</span>
        {/* biome-ignore lint/a11y/useSemanticElements: a drawing is no set of fields */}
        <svg
          ref={root}
          width="100%"
          height={HEIGHT}
          role="group"
          aria-label="Phone time by day. Arrow keys move, Enter lists a day."
          onKeyDown={onKeyDown}
          onPointerLeave={() => setPointed(undefined)}
        >
          <line className="chart-line" x1="0" x2="100%" y1="0.5" y2="0.5" />
          <line className="chart-line" x1="0" x2="100%" y1={HEIGHT / 2} y2={HEIGHT / 2} />
          {bars.map((bar, index) => (
            // biome-ignore lint/a11y/useSemanticElements: a bar of a drawing cannot be a button element
            <g
              key={bar.from}
              role="button"
              className={`bar${bar.from === chosen ? " bar-chosen" : ""}`}
              tabIndex={index === current ? 0 : -1}
              aria-label={`${bar.words}: ${barWords(bar, currency)}`}
              aria-pressed={bar.from === chosen}
              onFocus={() => {
                setStop(index);
                setPointed(index);
              }}
              onBlur={() => setPointed(undefined)}
              onPointerEnter={() => setPointed(index)}
              onClick={() => onChoose(bar.from === chosen ? undefined : bar)}
            >
              <rect className="bar-room" x={`${index * width}%`} y="0" width={`${width}%`} height={HEIGHT} />
              <Rect kind="all" x={index * width} width={width} ms={bar.ms} top={top} />
              <Rect kind="part" x={index * width} width={width} ms={bar.partMs} top={top} />
            </g>
          ))}
          <line className="chart-line chart-floor" x1="0" x2="100%" y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        </svg>
        <div className="chart-days secondary tabular" aria-hidden="true">
          <span>{edge(bars[0])}</span>
          {bars.length > 10 && <span>{edge(bars[Math.floor(bars.length / 2)])}</span>}
          <span>{edge(bars.at(-1))}</span>
        </div>
      </div>
    </div>
  );
}

interface RectProps {
  readonly kind: "all" | "part";
  /** Percent. */
  readonly x: number;
  readonly width: number;
  readonly ms: number;
  readonly top: number;
}

/** What ran a moment is still seen. */
function Rect({ kind, x, width, ms, top }: RectProps) {
  if (ms === 0) return null;
  const height = Math.max(2, (ms / top) * HEIGHT);
  return (
    <rect
      className={`bar-${kind}`}
      x={`${x + width * 0.12}%`}
      width={`${width * 0.76}%`}
      y={HEIGHT - height}
      height={height}
      rx="1.5"
    />
  );
}

function barWords({ partMs, amount }: UsageBar, currency: string): string {
  if (partMs === 0) return "nothing ran";
  return `${durationWords(partMs)}${amount === undefined ? "" : `, ${moneyWords(amount, currency)}`}`;
}

const edge = (bar: UsageBar | undefined) => (bar === undefined ? "" : dayWords(bar.from, "short"));

/** The same in rows, for whoever reads tables rather than drawings. */
export function UsageTable({ bars, currency }: Pick<UsageChartProps, "bars" | "currency">) {
  const money = bars.some(({ amount }) => amount !== undefined);
  const ran = bars.filter(({ partMs }) => partMs > 0);
  return (
    <table className="usage-table tabular">
      <caption className="sr-only">Phone time by day, without days on which nothing ran</caption>
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">Time</th>
          {money && <th scope="col">Cost</th>}
        </tr>
      </thead>
      <tbody>
        {ran.map(({ from, words, partMs, amount }) => (
          <tr key={from}>
            <th scope="row">{words}</th>
            <td>{durationWords(partMs)}</td>
            {money && <td>{moneyWords(amount ?? 0, currency)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
