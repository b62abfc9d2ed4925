/** Against what Java's own libraries wrote (snappy-java 1.1.10, lz4-java 1.8, zstd-jni 1.5, as in Apache Kafka 4.1). */
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../platform/errors.ts';
import { decompressLz4, decompressSnappy, registerCodecs } from './decompress.ts';

const SPANS = Array.from({ length: 12 }, (_, span) => `span ${span} of service-${span % 7}; `);
const TEXT = `${SPANS.join('')}${'x'.repeat(900)}`;
const WRITTEN_BY_JAVA = {
  bareSnappy: [
    'gglQc3BhbiAwIG9mIHNlcnZpY2UtMDsgBRUAMS4VAAAxDRUAMi4VAAAyDRUAMy4VAAAzDRUANC4VAAA0DRUANS4VAAA1DRUANi4VAAA2',
    'DRUANy4VABGTADguFQARkwA5LhUAEZMAMTLTABGUADEy1AAMNDsgeP4BAP4BAP4BAP4BAP4BAP4BAP4BAP4BAP4BAP4BAP4BAP4BAP4B',
    'AO4BAA0B',
  ].join(''),
  framedSnappy: [
    'glNOQVBQWQAAAAABAAAAAQAAAKKCCVBzcGFuIDAgb2Ygc2VydmljZS0wOyAFFQAxLhUAADENFQAyLhUAADINFQAzLhUAADMNFQA0LhUA',
    'ADQNFQA1LhUAADUNFQA2LhUAADYNFQA3LhUAEZMAOC4VABGTADkuFQARkwAxMtMAEZQAMTLUAAw0OyB4/gEA/gEA/gEA/gEA/gEA/gEA',
    '/gEA/gEA/gEA/gEA/gEA/gEA/gEA7gEADQE=',
  ].join(''),
  lz4: [
    'BCJNGGBAgnoAAADxBnNwYW4gMCBvZiBzZXJ2aWNlLTA7IBUAGDEVABMxFQAYMhUAEzIVABgzFQATMxUAGDQVABM0FQAYNRUAEzUVABg2',
    'FQATNhUAGDcVAASTABg4FQAEkwAYORUABJMAGTHTAASUABkx1ABPNDsgeAEA////blB4eHh4eAAAAAA=',
  ].join(''),
  zstd: [
    'KLUv/QBYHAMAJANzcGFuIDAgb2Ygc2VydmljZS0wOyBzcGFuIDExMjIzMzQ0NTU2NjcwODE5MjEzNDsgeBYAgPGKruYAEGc1h4FMAD+Q',
    'McAFZAc4A5kAfiBjgAvIDnAGMgH8QMYAF5DdkZtjAQAA',
  ].join(''),
};
const bytesOf = (name: keyof typeof WRITTEN_BY_JAVA) => Buffer.from(WRITTEN_BY_JAVA[name], 'base64');

describe('decompressing', () => {
  it('reads snappy, framed or not', () => {
    expect(decompressSnappy(bytesOf('bareSnappy')).toString()).toBe(TEXT);
    expect(decompressSnappy(bytesOf('framedSnappy')).toString()).toBe(TEXT);
  });

  it('reads LZ4 frames', () => {
    expect(decompressLz4(bytesOf('lz4')).toString()).toBe(TEXT);
  });

  it('is what kafkajs uses, zstd included', async () => {
    registerCodecs();
    const codec = kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD]();
    expect((await codec.decompress(bytesOf('zstd'))).toString()).toBe(TEXT);
  });

  it.each([
    ['bareSnappy', decompressSnappy],
    ['framedSnappy', decompressSnappy],
    ['lz4', decompressLz4],
  ] as const)('refuses broken bytes as such: %s', (name, decompress) => {
    const whole = bytesOf(name);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const broken = Buffer.from(whole);
        broken[at] = value;
        try {
          decompress(broken);
        } catch (error) {
          expect(error instanceof AppError || error instanceof RangeError).toBe(true);
        }
      }),
    );
  });
});
