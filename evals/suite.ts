/** What a suite is: cases to replay, and how predictions are scored against the answers. */

import type { DetectionPart } from '../domain/anomaly.ts';
import type { Investigation } from '../domain/investigation.ts';
import type { Prediction } from './prediction.ts';
import type { ReplayCase } from './replay-case.ts';
import type { UnpackedDataset } from './unpack-dataset.ts';

export interface Scored {
  readonly score: object;
  /** The score as people read it. */
  readonly text: string;
}

export type Suite =
  | {
      readonly source: 'dataset';
      listCases(data: UnpackedDataset): ReplayCase[];
      score(predictions: readonly Prediction[], labels: unknown): Scored;
      /** The remediation in the words of the data set's labels; left out: in ours. */
      nameRemediation?(investigation: Investigation): string;
    }
  | {
      /** Needs no data: the cases are made. */
      readonly source: 'simulator';
      listCases(): ReplayCase[];
      score(predictions: readonly Prediction[]): Scored;
    };

/** For one file of log lines: the template of each line, by any name, in the order of the lines. */
export interface FilePrediction {
  readonly system: string;
  readonly groups: readonly string[];
}

/** Files that are read as they are: nothing is replayed or investigated. */
export interface FileSuite<P extends object = object> {
  readonly source: 'files';
  /** @param only part of the names of the files to read */
  predict(data: UnpackedDataset, only: string): P[];
  /** Undefined where the data comes without the answers. */
  score(data: UnpackedDataset, predictions: readonly P[]): Scored | undefined;
}

/** Detection over time: telemetry is replayed in order, and what the scanner opens is the prediction. Nothing is investigated. */
export interface DetectionSuite<P extends object = object> {
  readonly source: 'detection';
  /** False: the telemetry is made. True: --data, given once for each data set. */
  readonly needsData: boolean;
  predict(options: DetectionSuiteOptions): Promise<readonly P[]>;
  /** Undefined where the data comes without the answers. */
  score(predictions: readonly P[], data: readonly UnpackedDataset[]): Scored | undefined;
}

export interface DetectionSuiteOptions {
  readonly data: readonly UnpackedDataset[];
  /** Only cases whose name contains this. */
  readonly only: string;
  /** Parts of detection that are switched off. */
  readonly without: ReadonlySet<DetectionPart>;
  readonly signal: AbortSignal;
  /** Told how it goes, a line for each case. */
  note(line: string): void;
}
