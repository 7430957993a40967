// Lines over time, drawn by uPlot. Colours and fonts come from the page's styles each time that it is drawn.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { figure, timeTicks, valueTicks } from './ticks';

export type Points = readonly (readonly [number, number | null])[];

/** Dashes in pixels from the fourth series on, so that more is told apart than colours. */
export const DASHES: (number[] | undefined)[] = [undefined, undefined, undefined, [8, 4], [2, 3], [10, 3, 2, 3], [5, 5]];

/** The values of all series at all moments: null is a gap, undefined is nothing said. */
export function align(series: readonly Points[]): uPlot.AlignedData {
  const moments = [...new Set(series.flatMap((points) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const columns = series.map((points) => {
    const known = new Map(points);
    return moments.map((at) => known.get(at));
  });
  return [moments, ...columns];
}

interface Plot {
  host: HTMLElement;
  data: uPlot.AlignedData;
  width: number;
  height: number;
  /** Room at the right for the names of the lines. */
  aside: number;
  onDraw: (plot: uPlot) => void;
}

export function draw({ host, data, width, height, aside, onDraw }: Plot): uPlot {
  const css = (name: string) => getComputedStyle(host).getPropertyValue(name).trim();
  const style = getComputedStyle(host);
  const font = `${style.fontSize} ${style.fontFamily}`;
  const axis: uPlot.Axis = { font, stroke: () => css('--text-2') };
  const most = (plot: uPlot) => Math.max(1, Math.floor(plot.bbox.width / devicePixelRatio / 84));
  const split = (plot: uPlot, from: number, to: number) => timeTicks(from, to, most(plot));
  const scale = (_: uPlot, least: number, top: number): uPlot.Range.MinMax => {
    const ticks = valueTicks(top ?? 0, (top ?? 0) < 4);
    return [Math.min(0, least ?? 0), ticks.at(-1)?.at ?? 1];
  };
  return new uPlot(
    {
      width, height, ms: 1,
      padding: [8, aside, 0, 0],
      legend: { show: false },
      // Pointer and keys are served by the block around it, which serves them the same way for bars.
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: scale } },
      axes: [
        {
          ...axis, size: 24, gap: 4,
          grid: { show: false },
          border: { show: true, width: 1, stroke: () => css('--border-control') },
          ticks: { size: 4, width: 1, stroke: () => css('--border-control') },
          splits: (plot, _, from, to) => split(plot, from, to).map(({ at }) => at),
          values: (plot, at) => {
            const { min = 0, max = 0 } = plot.scales.x ?? {};
            const words = new Map(split(plot, min, max).map((tick) => [tick.at, tick.words]));
            return at.map((at) => words.get(at) ?? '');
          },
        },
        {
          ...axis, gap: 6,
          size: (_, values) => 12 + 7 * Math.max(1, ...(values ?? []).map((words) => words.length)),
          grid: { width: 1, stroke: () => css('--border') },
          ticks: { show: false },
          splits: (_plot, _index, _from, to) => valueTicks(to, to < 4).map(({ at }) => at),
          values: (_, at) => at.map(figure),
        },
      ],
      series: [
        {},
        ...data.slice(1).map((_, index): uPlot.Series => ({
          width: 1.5,
          stroke: () => css(`--chart-${(index % 7) + 1}`),
          dash: DASHES[index % 7],
          points: { show: (plot, series) => isAlone(plot, series), size: 5, fill: () => css(`--chart-${(index % 7) + 1}`) },
        })),
      ],
      hooks: { draw: [onDraw] },
    },
    data,
    host,
  );
}

/** A value between two gaps is a point, or it would not be seen. */
function isAlone(plot: uPlot, series: number): boolean {
  const values = plot.data[series] ?? [];
  return values.some((value, index) => value != null && values[index - 1] == null && values[index + 1] == null);
}
