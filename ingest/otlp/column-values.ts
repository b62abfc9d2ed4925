/**
 * OTLP values as the columns of the Collector's ClickHouse exporter hold them: attribute maps of texts, ids as lower-case
 * hexadecimal, times as decimal nanoseconds. Limits live here: what one record may hold, whatever its sender does.
 */
import type { Attributes } from '../../clickhouse/telemetry-rows.ts';
import type { AnyValue, InstrumentationScope, KeyValue, Resource } from './otlp-messages.ts';
import type { RecordCount } from './record-count.ts';
import { isPlausibleTime } from './time-limits.ts';

/** Generous: the SDKs' own default is 128 attributes, events and links a span. */
const MAX_ATTRIBUTES = 1_024;
export const MAX_ITEMS = 1_024;
const MAX_KEY_CHARS = 512;
/** A long stack trace or SQL statement fits. */
export const MAX_VALUE_CHARS = 64 * 1024;
/** All values of one attribute map together. */
const MAX_MAP_CHARS = 1024 * 1024;
/** Names of services, operations, metrics, scopes, units: columns with dictionaries. */
export const MAX_NAME_CHARS = 1_024;
export const MAX_BODY_CHARS = 256 * 1024;

/**
 * Nanoseconds as 19 digits. ClickHouse reads a number of another length as something else or refuses it, and with it the
 * whole insert (seen with 26.7: '0' fails, nineteen zeros are 1970).
 */
export function timeColumn(unixNano: bigint): string {
  return unixNano.toString().padStart(19, '0');
}

/** A time that may be unknown: 1970, as the Collector writes it. */
export function optionalTimeColumn(unixNano: bigint): string {
  return timeColumn(isPlausibleTime(unixNano) ? unixNano : 0n);
}

const NO_TRACE_ID = '0'.repeat(32);
const NO_SPAN_ID = '0'.repeat(16);

function hexOf(id: Uint8Array): string {
  return Buffer.isBuffer(id) ? id.toString('hex') : Buffer.from(id).toString('hex');
}

/** 32 lower-case hex digits; undefined when it is not 16 bytes long or all zero, which W3C and OTLP call invalid. */
export function traceIdOf(id: Uint8Array): string | undefined {
  const hex = id.length === 16 ? hexOf(id) : NO_TRACE_ID;
  return hex === NO_TRACE_ID ? undefined : hex;
}

/** 16 lower-case hex digits; undefined when it is not 8 bytes long or all zero. */
export function spanIdOf(id: Uint8Array): string | undefined {
  const hex = id.length === 8 ? hexOf(id) : NO_SPAN_ID;
  return hex === NO_SPAN_ID ? undefined : hex;
}

/** As the Collector's pdata `AsString` writes a value: texts as they are, lists as JSON, bytes as base64, nothing as ''. */
export function textOf(value: AnyValue | undefined): string {
  if (value === undefined) return '';
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return value.intValue.toString();
  if (value.doubleValue !== undefined) return String(value.doubleValue);
  if (value.boolValue !== undefined) return value.boolValue ? 'true' : 'false';
  if (value.bytesValue !== undefined) return Buffer.from(value.bytesValue).toString('base64');
  return value.arrayValue !== undefined || value.kvlistValue !== undefined ? jsonOf(value) : '';
}

/** JSON text of a nested value; integers keep all their digits. */
function jsonOf(value: AnyValue | undefined): string {
  if (value === undefined) return 'null';
  if (value.stringValue !== undefined || value.bytesValue !== undefined) return JSON.stringify(textOf(value));
  if (value.intValue !== undefined || value.boolValue !== undefined) return textOf(value);
  if (value.doubleValue !== undefined) {
    return Number.isFinite(value.doubleValue) ? String(value.doubleValue) : `"${value.doubleValue}"`;
  }
  if (value.arrayValue !== undefined) return `[${value.arrayValue.values.map(jsonOf).join(',')}]`;
  if (value.kvlistValue === undefined) return 'null';
  const members = value.kvlistValue.values.map((member) => `${JSON.stringify(member.key)}:${jsonOf(member.value)}`);
  return `{${members.join(',')}}`;
}

/** Key-values as a Map column; of a repeated key the last value counts. */
export function attributesColumn(keyValues: readonly KeyValue[], count: RecordCount): Attributes {
  const attributes: Record<string, string> = {};
  let roomChars = MAX_MAP_CHARS;
  for (const { key, value } of count.list(keyValues, MAX_ATTRIBUTES)) {
    const text = count.text(textOf(value), Math.min(MAX_VALUE_CHARS, roomChars));
    roomChars -= text.length;
    const name = count.text(key, MAX_KEY_CHARS);
    if (name === '__proto__') Object.defineProperty(attributes, name, { value: text, enumerable: true });
    else attributes[name] = text;
  }
  return attributes;
}

/** Columns that all records of a resource have in common. */
export interface ResourceColumns {
  readonly ServiceName: string;
  readonly ResourceAttributes: Attributes;
  readonly ResourceSchemaUrl: string;
}

/** Columns that all records of a scope have in common. */
export interface ScopeColumns {
  readonly ScopeName: string;
  readonly ScopeVersion: string;
  readonly ScopeAttributes: Attributes;
  readonly ScopeSchemaUrl: string;
  readonly ScopeDroppedAttrCount: number;
}

export function resourceColumns(
  resource: Resource | undefined,
  schemaUrl: string,
  count: RecordCount,
): ResourceColumns {
  const attributes = attributesColumn(resource?.attributes ?? [], count);
  return {
    ServiceName: count.text(attributes['service.name'] || 'unknown_service', MAX_NAME_CHARS),
    ResourceAttributes: attributes,
    ResourceSchemaUrl: count.text(schemaUrl, MAX_NAME_CHARS),
  };
}

export function scopeColumns(
  scope: InstrumentationScope | undefined,
  schemaUrl: string,
  count: RecordCount,
): ScopeColumns {
  return {
    ScopeName: count.text(scope?.name ?? '', MAX_NAME_CHARS),
    ScopeVersion: count.text(scope?.version ?? '', MAX_NAME_CHARS),
    ScopeAttributes: attributesColumn(scope?.attributes ?? [], count),
    ScopeSchemaUrl: count.text(schemaUrl, MAX_NAME_CHARS),
    ScopeDroppedAttrCount: scope?.droppedAttributesCount ?? 0,
  };
}

/** Characters that every row of a resource and scope repeats. */
export function sharedChars(resource: ResourceColumns, scope: ScopeColumns): number {
  return mapChars(resource.ResourceAttributes) + mapChars(scope.ScopeAttributes);
}

function mapChars(attributes: Attributes): number {
  return Object.entries(attributes).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
}
