/** `npm run boundaries`: the import table holds, and every source file was really looked at (an empty cruise proves nothing). */
import { cruiseModules, listSources } from './cruise-modules.ts';

const sources = listSources();
const { modules, summary } = await cruiseModules(sources);
const cruised = new Set(modules.map(({ source }) => source));
const missed = sources.filter((file) => !cruised.has(file));

for (const violation of summary.violations) {
  console.error(`${violation.rule.name}: ${violation.from} -> ${violation.to}`);
}
for (const file of missed) console.error(`not cruised: ${file}`);
console.log(
  `${sources.length} files, ${sources.length - missed.length} cruised, ${summary.violations.length} violations`,
);
process.exitCode = summary.violations.length + missed.length > 0 || sources.length === 0 ? 1 : 0;
