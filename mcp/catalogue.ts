/**
 * What the server offers, in shapes of our own: tools, resources, prompts and how their arguments are completed. Knows neither
 * transport nor SDK; create-mcp-server.ts speaks the protocol for it.
 */
import type { z } from 'zod';
import type { McpBackend } from './backend.ts';

/** Everything that a tool, resource, prompt or completion may use. */
export interface McpContext {
  readonly backend: McpBackend;
  nowMs(): number;
  /** Aborted when the client cancels or leaves: for reads. What a person decided goes on. */
  readonly signal: AbortSignal;
  /** Tells the person what happens: as progress where the client asked for it, otherwise as a log message. */
  report(message: string): Promise<void>;
  /** Shows the person a form. The only way to learn a person's will; whatever a model says is not. */
  askPerson(form: PersonForm): Promise<PersonAnswer>;
  /** Who decides, where the host knows them by the data directory's token only; empty: the host's own name for them. */
  readonly personName: string;
  /** A command of the CLI as it is typed here. */
  command(...words: string[]): string;
}

export interface PersonForm {
  readonly message: string;
  /** JSON Schema of a flat object, as elicitation takes it. */
  readonly schema: { readonly type: 'object'; readonly properties: object; readonly required?: readonly string[] };
}

/** unable: the client has no forms. silent: nobody answered in time. refused: the form was closed or declined. */
export type PersonAnswer =
  | { readonly kind: 'unable' | 'silent' | 'refused' }
  | { readonly kind: 'answered'; readonly content: Readonly<Record<string, unknown>> };

/** Content of the protocol as it is, for what is neither text nor structured. */
export type ContentBlock = { readonly type: string } & Readonly<Record<string, unknown>>;

export interface McpAnswer {
  /** In the tool's output shape. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** What a model reads; left out: `data` as JSON. */
  readonly text?: string | undefined;
  readonly blocks?: readonly ContentBlock[] | undefined;
}

export interface McpTool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  /** Left out: its answers are text and blocks only. */
  readonly output?: z.ZodObject | undefined;
  /** Good arguments, shown with the error about bad ones. */
  readonly example: z.input<Input>;
  /** As the protocol's annotations. */
  readonly hints: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
  run(input: z.output<Input>, context: McpContext): Promise<McpAnswer>;
}

/** Gives a tool its exact types where it is defined, and one type where it is listed. */
export function defineMcpTool<Input extends z.ZodObject>(tool: McpTool<Input>): McpTool {
  return tool as unknown as McpTool;
}

/** Reads the telemetry and records of one host, and changes nothing. */
export const READS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

/** What an argument may become, the likeliest first. */
export type Completer = (typed: string, context: McpContext) => Promise<readonly string[]>;

export interface McpPrompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly required: boolean;
    readonly complete?: Completer | undefined;
  }[];
  /** What a person would say; the arguments that are required are there. */
  write(given: Readonly<Record<string, string>>, context: McpContext): Promise<readonly ContentBlock[]>;
}

export interface ResourceEntry {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly mimeType: string;
}

export type ResourceContent =
  | { readonly uri: string; readonly mimeType: string; readonly text: string }
  | { readonly uri: string; readonly mimeType: string; readonly blob: string };

export interface McpResources {
  list(
    cursor: string | undefined,
    context: McpContext,
  ): Promise<{ readonly resources: readonly ResourceEntry[]; readonly nextCursor?: string | undefined }>;
  readonly templates: readonly {
    /** With `{id}` where an id stands. */
    readonly uriTemplate: string;
    readonly name: string;
    readonly title: string;
    readonly description: string;
    readonly mimeType: string;
    readonly complete?: Completer | undefined;
  }[];
  /** Undefined: there is no such resource. */
  read(uri: string, context: McpContext): Promise<ResourceContent | undefined>;
}

export interface Catalogue {
  /** What a client tells its model about this server. */
  readonly instructions: string;
  readonly tools: readonly McpTool[];
  readonly prompts: readonly McpPrompt[];
  readonly resources: McpResources;
}
