/** A replacer for JSON.stringify: six digits of a state are enough to go on with. */
export function inShort(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
