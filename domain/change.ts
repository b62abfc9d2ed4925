/** What people did to production: the fourth signal. */
import { z } from 'zod';

export const changeKindSchema = z.enum(['deploy', 'commit', 'flag', 'config', 'infrastructure']);
export type ChangeKind = z.infer<typeof changeKindSchema>;

export const changeSchema = z.object({
  changeId: z.string().min(1).max(128),
  kind: changeKindSchema,
  /** Empty when the change is not bound to one service. */
  service: z.string().max(256),
  atMs: z.int().nonnegative(),
  version: z.string().max(256),
  summary: z.string().max(2_000),
  author: z.string().max(256),
  url: z.string().max(2_000),
  attributes: z.record(z.string().max(256), z.string().max(4_000)),
  /** Unified diff of a commit; empty otherwise. */
  diff: z.string().max(200_000),
  /** `webhook`: somebody told us. `inferred`: a service.version was seen for the first time. */
  source: z.enum(['webhook', 'inferred']),
});
export type Change = z.infer<typeof changeSchema>;

/** What `POST /v1/changes` takes for one change; everything but kind and summary may be left out. */
export const changeInputSchema = z
  .object({
    id: z.string().min(1).max(128).optional(),
    kind: changeKindSchema,
    service: z.string().max(256).default(''),
    /** ISO 8601 with zone; left out: the time of receipt. */
    at: z.iso.datetime({ offset: true }).optional(),
    version: z.string().max(256).default(''),
    summary: z.string().min(1).max(2_000),
    author: z.string().max(256).default(''),
    url: z.string().max(2_000).default(''),
    attributes: z.record(z.string().max(256), z.string().max(4_000)).default({}),
    diff: z.string().max(200_000).default(''),
  })
  .strict();
export type ChangeInput = z.infer<typeof changeInputSchema>;
