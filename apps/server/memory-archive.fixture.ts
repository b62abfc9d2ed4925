/** An archive over investigations in memory, for hosts without an engine. */
import type { Investigation } from '../../domain/investigation.ts';
import type { HostRuntime } from './host-runtime.ts';

interface Kept {
  readonly id: string;
  readonly atMs: number;
  readonly status: string;
  readonly document: unknown;
}

/** @param list what there is now */
export function createMemoryArchive(list: () => readonly Investigation[]): HostRuntime['archive'] {
  const KEPT: Readonly<Record<string, (investigation: Investigation) => Kept[]>> = {
    incident: ({ incident }) => [
      { id: incident.incidentId, atMs: incident.openedAtMs, status: incident.status, document: incident },
    ],
    investigation: (document) => [
      { id: document.investigationId, atMs: document.startedAtMs, status: document.status, document },
    ],
    approval: ({ approval }) =>
      approval
        ? [
            {
              id: approval.approvalId,
              atMs: approval.requestedAtMs,
              status: approval.decision?.outcome ?? 'pending',
              document: approval,
            },
          ]
        : [],
    evidence: ({ evidence }) =>
      evidence.map((document) => ({ id: document.evidenceId, atMs: document.takenAtMs, status: '', document })),
  };
  const keptOf = (kind: string): Kept[] =>
    list()
      .flatMap((investigation) => KEPT[kind]?.(investigation) ?? [])
      .sort((left, right) => right.atMs - left.atMs || (left.id < right.id ? 1 : -1));
  const archive = {
    find: async (kind: string, id: string) => keptOf(kind).find((one) => one.id === id)?.document,
    findAll: async (kind: string, ids: readonly string[]) =>
      new Map(
        keptOf(kind)
          .filter(({ id }) => ids.includes(id))
          .map(({ id, document }) => [id, document]),
      ),
    page: async (kind: string, question: Parameters<HostRuntime['archive']['page']>[1]) => {
      const { limit, status, after } = question;
      const comesAfter = ({ id, atMs }: Kept) => !after || atMs < after.atMs || (atMs === after.atMs && id < after.id);
      const left = keptOf(kind).filter((one) => comesAfter(one) && (status === undefined || one.status === status));
      const last = left.length > limit ? left[limit - 1] : undefined;
      const documents = left.slice(0, limit).map(({ document }) => document);
      return last ? { documents, next: { atMs: last.atMs, id: last.id } } : { documents };
    },
  };
  return archive as unknown as HostRuntime['archive'];
}
