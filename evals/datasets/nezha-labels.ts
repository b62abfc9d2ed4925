/** What was broken in each case of the Nezha recordings, and when: the labels beside a part. */
import { z } from 'zod';
import type { ServiceTruth } from '../scorers/rank-services.ts';

export const nezhaLabelsSchema = z
  .array(
    z.object({
      case_id: z.string(),
      root_cause_service: z.string(),
      fault_type: z.string(),
      inject_time_utc: z.string(),
    }),
  )
  .transform((labels) =>
    labels.map(
      (label): ServiceTruth => ({
        caseId: label.case_id,
        service: label.root_cause_service,
        faultType: label.fault_type,
        injectMs: Date.parse(label.inject_time_utc),
      }),
    ),
  );
