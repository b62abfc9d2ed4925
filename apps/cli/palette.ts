/** The few colours of the CLI, by meaning. Text is measured and padded before it is coloured. */
import { styleText } from 'node:util';

type Paint = (text: string) => string;

export interface Palette {
  /** Headings and names that carry the eye. */
  readonly strong: Paint;
  /** What can be skipped: ids, rules, labels. */
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  /** What can be typed. */
  readonly command: Paint;
}

const unchanged: Paint = (text) => text;

export const plainPalette: Palette = {
  strong: unchanged,
  faint: unchanged,
  good: unchanged,
  bad: unchanged,
  warn: unchanged,
  command: unchanged,
};

type Style = Parameters<typeof styleText>[0];

function painter(style: Style): Paint {
  return (text) => (text === '' ? '' : styleText(style, text, { validateStream: false }));
}

export const colourPalette: Palette = {
  strong: painter('bold'),
  faint: painter('dim'),
  good: painter('green'),
  bad: painter('red'),
  warn: painter('yellow'),
  command: painter('cyan'),
};
