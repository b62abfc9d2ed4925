/** Cutting a request in two loses nothing and doubles nothing, whatever its shape. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonToProto } from '../otlp/json-to-proto.ts';
import { readOtlpRows } from '../otlp/read-otlp-rows.ts';
import { splitRequest } from './split-request.ts';

const NOW_MS = 1_780_000_000_000;
const NANOS = `${NOW_MS}000000`;

/** Numbers of log records by scope, by resource. */
const shapes = fc.array(fc.array(fc.nat(4), { maxLength: 4 }), { maxLength: 4 });

function requestOf(shape: readonly (readonly number[])[]): Buffer {
  let records = 0;
  const attribute = (key: string, value: string) => [{ key, value: { stringValue: value } }];
  const resourceLogs = shape.map((scopes, resource) => ({
    resource: { attributes: attribute('service.name', `service-${resource}`) },
    schemaUrl: `https://example.com/${resource}`,
    scopeLogs: scopes.map((count, scope) => ({
      scope: { name: `scope-${scope}` },
      logRecords: Array.from({ length: count }, () => ({
        timeUnixNano: NANOS,
        body: { stringValue: `line ${records++}` },
      })),
    })),
  }));
  return jsonToProto('logs', { resourceLogs });
}

function linesOf(request: Uint8Array): unknown[] {
  const { otel_logs: rows = [] } = readOtlpRows('logs', 'protobuf', request, NOW_MS).rows;
  return rows.map(({ ServiceName, ScopeName, ResourceSchemaUrl, Body }) => [
    ServiceName,
    ScopeName,
    ResourceSchemaUrl,
    Body,
  ]);
}

describe('splitting a request', () => {
  it('keeps every record once, in order, with its resource and scope', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const request = requestOf(shape);
        const all = linesOf(request);
        const halves = splitRequest(request);
        if (all.length < 2) return halves === undefined;
        expect(halves?.flatMap(linesOf)).toEqual(all);
        expect(halves?.map((half) => linesOf(half).length)).toEqual([
          Math.ceil(all.length / 2),
          Math.floor(all.length / 2),
        ]);
        return true;
      }),
    );
  });

  it('makes nothing of what is no request', () => {
    expect(splitRequest(Buffer.from('this is no protobuf'))).toBeUndefined();
    expect(splitRequest(new Uint8Array())).toBeUndefined();
  });
});
