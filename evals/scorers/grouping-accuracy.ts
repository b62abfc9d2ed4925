/**
 * Grouping accuracy of log parsing (Zhu et al., ICSE-SEIP 2019): the share of lines whose predicted group holds exactly the lines of
 * their true group.
 */
import { InvariantError } from '../../platform/errors.ts';

/** Both say for each line, in the same order, which group it is in; names are compared within each alone. 0..1 */
export function groupingAccuracy(predicted: readonly string[], truth: readonly string[]): number {
  if (predicted.length !== truth.length) {
    throw new InvariantError(`${predicted.length} lines were grouped where the truth has ${truth.length}`);
  }
  const sizes = new Map<string, number>();
  const count = (key: string) => sizes.set(key, (sizes.get(key) ?? 0) + 1);
  predicted.forEach((group, line) => {
    const event = truth[line] ?? '';
    for (const key of [`predicted ${group}`, `true ${event}`, `both ${group}\n${event}`]) count(key);
  });
  const right = predicted.filter((group, line) => {
    const event = truth[line] ?? '';
    const shared = sizes.get(`both ${group}\n${event}`);
    return shared === sizes.get(`predicted ${group}`) && shared === sizes.get(`true ${event}`);
  });
  return predicted.length === 0 ? 1 : right.length / predicted.length;
}
