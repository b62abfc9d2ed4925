import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import { parseJson } from './parse-json.ts';

it.each([
  ['', 'it is empty'],
  ['{"a":[', 'it is cut off'],
  ['{"a":1,}', 'it breaks at character 7'],
  ['\u001b[31mred', 'it is something else'],
])('%j is refused: %s', (text, fault) => {
  expect(() => parseJson(text)).toThrow(new InputError(`The body is not JSON: ${fault}.`));
});

it('nesting without end is named, not fatal', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  expect(parseJson(deep)).toBeInstanceOf(Array);
  expect(() => parseJson(deep, (_key, value) => value)).toThrow('The body is not JSON: it is nested too deep.');
});

it('a refusal repeats nothing that a terminal would obey, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parseJson(text);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as InputError).message).toMatch(
          /^The body is not JSON: it (is [\w ]+|breaks at character \d+)\.$/,
        );
      }
    }),
  );
});
