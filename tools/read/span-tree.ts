/** Spans of one trace in tree order, with their depth and the time they spent themselves. Pure; bears any input. */

export interface TreeSpan {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly spanKind: string;
  readonly durationMs: number;
}

export type PlacedSpan<Span extends TreeSpan> = Span & {
  /** 0 for roots and for spans whose parent is not among them. */
  readonly depth: number;
  /** Duration minus that of direct children (except consumers of its messages), never below 0. */
  readonly selfMs: number;
};

/** Parents before children, siblings in the order given; spans that only a cycle reaches come last, as roots. */
export function toSpanTree<Span extends TreeSpan>(spans: readonly Span[]): PlacedSpan<Span>[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const childrenOf = Map.groupBy(
    spans.filter(({ spanId, parentSpanId }) => parentSpanId !== spanId),
    ({ parentSpanId }) => parentSpanId,
  );
  const placed = new Map<Span, PlacedSpan<Span>>();

  function place(span: Span, depth: number): void {
    if (placed.has(span)) return;
    const children = childrenOf.get(span.spanId) ?? [];
    const waitedMs = children
      .filter(({ spanKind }) => spanKind !== 'Consumer')
      .reduce((totalMs, child) => totalMs + child.durationMs, 0);
    placed.set(span, { ...span, depth, selfMs: Math.max(0, span.durationMs - waitedMs) });
    for (const child of children) place(child, depth + 1);
  }

  for (const span of spans) if (!ids.has(span.parentSpanId) || span.parentSpanId === span.spanId) place(span, 0);
  for (const span of spans) place(span, 0);
  return [...placed.values()];
}
