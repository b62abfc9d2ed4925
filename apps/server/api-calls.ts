/** What a handler is given and what it answers, by route. */
import type { z } from 'zod';
import type { RouteName } from '../../api/api-client.ts';
import type { ROUTES } from '../../api/api-shapes.ts';
import type { Caller } from '../../domain/identity.ts';

type Routes = typeof ROUTES;
type OutputOf<Schema, Otherwise> = Schema extends z.ZodType ? z.output<Schema> : Otherwise;
type PartOf<Route, Part extends string> = Route extends { [P in Part]: infer Schema } ? Schema : undefined;

/** `signal` is aborted when the caller hangs up: for reads. What has an effect goes on without its caller. */
export interface ApiCall<Query, Input> {
  readonly caller: Caller;
  /** Empty where the path has none. */
  readonly id: string;
  readonly query: Query;
  readonly input: Input;
  readonly signal: AbortSignal;
}

export type ApiHandlers = {
  readonly [Name in RouteName]: (
    call: ApiCall<OutputOf<PartOf<Routes[Name], 'query'>, object>, OutputOf<PartOf<Routes[Name], 'input'>, undefined>>,
  ) => Promise<z.input<Routes[Name]['output']>>;
};
