/** Finds a number in a model's answer that nothing it was shown says, in any of the units in which people write it. */

export interface SaidNumbers {
  /** Everything that the model was shown. */
  readonly texts: string[];
}

/** Times, dates, versions and names with digits in them are no figures. */
const NO_FIGURE =
  /\d{4}-\d{2}-\d{2}(?:[T ][\d:.]+Z?)?|\b\d{1,2}:\d{2}(?::\d{2})?\b|\bv?\d+(?:\.\d+){2,}\b|\b[a-z_][\w.-]*\d[\w.-]*/gi;
const FIGURE =
  /(?<![\w.])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?<unit>\s?(?:%|percent|ms|s|sec|seconds?|min|minutes?|k|m|x|times)\b|%)?/gi;
/** In JSON a comma stands between numbers. */
const JSON_FIGURE = /(?<![\w."-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w"])/g;
/** As a ratio and in percent, in ms and s, by the second and by the minute, bytes by 1024. */
const SCALES = [1, 100, 0.01, 1_000, 0.001, 60, 1 / 60, 1_024, 1_024 ** 2, 1_024 ** 3].flatMap((scale) => [
  scale,
  1 / scale,
]);
/** Half of the last digit that three significant ones have. */
const ROUNDING = 0.006;
/** "3 of 5 services": small whole numbers without a unit count things. */
const SMALL = 12;

/** The first such number as it is written; undefined: there is none. */
export function findInventedNumber(text: string, { texts }: SaidNumbers): string | undefined {
  const figures = text.replace(NO_FIGURE, ' ').match(FIGURE) ?? [];
  const wanted = figures.filter((figure) => !isSmallCount(figure));
  if (wanted.length === 0) return undefined;
  const said = texts
    .flatMap((one) => [...(one.match(FIGURE) ?? []), ...(one.match(JSON_FIGURE) ?? [])].map(numberOf))
    .filter(Number.isFinite);
  return wanted.find((figure) => !said.some((value) => isSame(numberOf(figure), value)));
}

function numberOf(figure: string): number {
  return Math.abs(Number.parseFloat(figure.replaceAll(',', '')));
}

function isSmallCount(figure: string): boolean {
  const value = numberOf(figure);
  return /^-?\d+$/.test(figure.trim()) && value <= SMALL;
}

function isSame(figure: number, said: number): boolean {
  // A zero in any unit is zero; two decimals of a percentage are no less true than one.
  return SCALES.some((scale) => Math.abs(figure - said * scale) <= Math.max(figure, said * scale) * ROUNDING);
}
