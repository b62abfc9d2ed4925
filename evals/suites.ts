/** Every suite by name: how its cases are read, and how predictions are scored against its labels. */
import { InputError } from '../platform/errors.ts';
import { askSuite } from './ask-suite.ts';
import { listNezhaCases } from './datasets/nezha.ts';
import { nezhaLabelsSchema } from './datasets/nezha-labels.ts';
import { faultDetectionSuite } from './fault-detection-suite.ts';
import { injectionSuite } from './injection-suite.ts';
import { logTemplatesSuite } from './log-templates-suite.ts';
import { nabSuite } from './nab-suite.ts';
import { nezhaDaySuite } from './nezha-day-suite.ts';
import { quietDaysSuite } from './quiet-days-suite.ts';
import { rootCauseBenchSuite } from './rootcausebench-suite.ts';
import { describeRanking } from './scorers/describe-ranking.ts';
import { rankServices } from './scorers/rank-services.ts';
import { simulatorSuite } from './simulator-suite.ts';
import { smokeSuite } from './smoke-suite.ts';
import type { DetectionSuite, FileSuite, Suite } from './suite.ts';

const nezhaSuite: Suite = {
  source: 'dataset',
  listCases: ({ partDir, commonDir }) => {
    if (commonDir === undefined) throw new InputError('This suite needs common/data.tar.zst beside the part.');
    return listNezhaCases(partDir, commonDir);
  },
  score: (predictions, labels) => {
    const score = rankServices(predictions, nezhaLabelsSchema.parse(labels));
    return { score, text: describeRanking(score) };
  },
};

export const SUITES: Readonly<Record<string, Suite | FileSuite | DetectionSuite>> = {
  simulator: simulatorSuite,
  smoke: smokeSuite as DetectionSuite,
  ask: askSuite as DetectionSuite,
  injections: injectionSuite as DetectionSuite,
  'fault-detection': faultDetectionSuite as DetectionSuite,
  'quiet-days': quietDaysSuite as DetectionSuite,
  'nezha-day': nezhaDaySuite as DetectionSuite,
  'nezha-trainticket': nezhaSuite,
  'nezha-onlineboutique': nezhaSuite,
  rootcausebench: rootCauseBenchSuite,
  loghub2k: logTemplatesSuite,
  nab: nabSuite,
};
