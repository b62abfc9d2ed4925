/** What leaves for a model, and what comes back. Keys are put together here, so that nothing looks like one in the repository. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteTelemetry } from '../domain/quote-telemetry.ts';
import { createRedactor, withoutBegunLabel } from './redaction.ts';

const HEX_40 = '4f3740c1a2b9d8e7f60514233241506978aabbcc';
const RANDOM = 'q7Rk2Zt9Xw4Lp8Vn3Bc6Md1J';
const JWT = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'].join('.');
const PRIVATE_KEY = ['-----BEGIN RSA PRIVATE', 'KEY-----\nMIIEow\nAbCd\n-----END RSA PRIVATE', 'KEY-----'].join(' ');

describe('secrets', () => {
  it.each([
    ['a GitHub token', `token ghp_${'a1B2'.repeat(9)} was used`, `ghp_${'a1B2'.repeat(9)}`],
    ['an AWS key id', `AKIA${'ABCD1234'.repeat(2)}`, 'ABCD1234'],
    ['an AWS secret', `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE`, 'wJalr'],
    ['an OpenAI key', `Incorrect API key provided: sk-proj-${RANDOM}`, RANDOM],
    ['a Slack token', `xoxb-${'123456789012'}-${RANDOM}`, RANDOM],
    ['a Stripe key', `sk_${'live'}_${RANDOM}`, RANDOM],
    ['a Google key', `AIza${RANDOM}${RANDOM}`, RANDOM],
    ['a JWT', `cookie said ${JWT}.`, 'dozjgNryP4J3'],
    ['a JWT that was cut', `said ${JWT.slice(0, 40)}`, 'eyJzdWIi'],
    ['a private key', `key is ${PRIVATE_KEY} end`, 'MIIEow'],
    ['a private key that was cut', `key is ${PRIVATE_KEY.slice(0, 40)}`, 'MIIEow'],
    ['a private key in JSON', JSON.stringify({ pem: PRIVATE_KEY }), 'MIIEow'],
    ['bearer', 'Authorization: Bearer abc123def456', 'abc123def456'],
    ['basic', 'authorization: Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpw'],
    ['a scheme of their own', 'Authorization: ApiKey abc123def456', 'abc123def456'],
    ['a header in JSON', '{"authorization":"Token abc123def456"}', 'abc123def456'],
    ['a URL', 'connect postgres://app:hunter2@db.example:5432/shop failed', 'hunter2'],
    ['a URL whose password has an @', 'amqp://app:hunt@er2@mq.example', 'er2'],
    ['a URL in escaped JSON', 'redis:\\/\\/app:hunter2@cache', 'hunter2'],
    ['password=', 'login with password=hunter2 failed', 'hunter2'],
    ['password:', 'Password: swordfish', 'swordfish'],
    ['password in JSON', '{"db_password":"hunter 2\\" of 3"}', 'of 3'],
    ['password in JSON in JSON', JSON.stringify(JSON.stringify({ password: 'hunter 2' })), 'hunter'],
    ['password in XML', '<password>hunter2</password>', 'hunter2'],
    ['an option', 'run --db-password hunter2 --verbose', 'hunter2'],
    ['a connection string', 'Server=db;User Id=sa;Password=hunter2;Encrypt=yes', 'hunter2'],
    ['an account key', 'AccountName=shop;AccountKey=abcd1234abcd==;', 'abcd1234abcd'],
    ['a token in a query', 'GET /hook?token=abcdefgh&page=2', 'abcdefgh'],
    ['an API key in a header', "x-api-key: '12345678'", '12345678'],
    ['a signed address', `GET /b?X-Amz-Signature=${HEX_40} HTTP/1.1`, HEX_40],
    ['a session', 'JSESSIONID=0123ABCD; path=/', '0123ABCD'],
    ['a cookie', 'Set-Cookie: sid=abc123; HttpOnly', 'abc123'],
    ['something random', `loaded ${RANDOM} from disk`, RANDOM],
    ['after an escaped line break', JSON.stringify({ body: `x\n${RANDOM}` }), RANDOM],
  ])('%s leaves as a label and does not come back', (_, text, secret) => {
    const redactor = createRedactor();
    const redacted = redactor.redact(text);
    expect(redacted).not.toContain(secret);
    expect(redacted).toMatch(/<secret-1>/);
    expect(redactor.restore(redacted)).toBe(redacted);
  });
});

describe('personal data', () => {
  it.each([
    ['email', 'mail to ann.lee+shop@mail.example.com, now', 'mail to <email-1>, now'],
    ['email in a query', 'GET /u?e=ann%40example.com', 'GET /u?e=<email-1>'],
    ['email behind an escape', '{"body":"x\\nann@example.com"}', '{"body":"x\\n<email-1>"}'],
    ['phone', 'call +49 (30) 1234-5678 or 555-123-4567', 'call <phone-1> or <phone-2>'],
    ['IBAN', 'to DE89 3704 0044 0532 0130 00.', 'to <iban-1>.'],
    ['card', 'paid by 4111 1111 1111 1111 today', 'paid by <card-1> today'],
    ['IPv4', 'from 203.0.113.7:443 to 10.0.0.3.', 'from <ip-1>:443 to <ip-2>.'],
    ['IPv4 behind an escape', '{"body":"x\\n10.0.0.3"}', '{"body":"x\\n<ip-1>"}'],
    ['IPv6', 'from 2001:db8::1 and fe80::1234:5678', 'from <ip-1> and <ip-2>'],
    ['user=', 'user=alice level=info', 'user=<person-1> level=info'],
    ['user in JSON', '{"user.name":"Ann Lee","n":1}', '{"user.name":"<person-1>","n":1}'],
    ['author', 'Author: Ann Lee <ann@example.com>', 'Author: <person-1> <<email-1>>'],
  ])('%s leaves as a label and comes back', (_, text, expected) => {
    const redactor = createRedactor();
    expect(redactor.redact(text)).toBe(expected);
    expect(redactor.restore(expected)).toBe(text);
  });
});

it.each([
  ['a trace id', 'trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7'],
  ['a trace context', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['a trace id of Amazon', 'Root=1-67891233-abcdef012345678912345678'],
  ['a commit', `commit ${HEX_40} in checkout`],
  ['a digest', `image sha256:${HEX_40}${HEX_40.slice(0, 24)}`],
  ['a UUID', 'order 123e4567-e89b-12d3-a456-426614174000'],
  ['our ids', 'ev_0123456789ab inv_06bq3s9x0e2k7m inc_06bq3s9x0e2k7m hyp_06bq3s9x0e2k7m'],
  ['versions', 'v1.2.3.4 version=1.2.3.4 1.2.3-rc.1+build.5 Chrome/120.0.0.0 lodash@4.17.21'],
  ['services and pods', 'checkout-service-v2 checkout-7d9f8b6c5d-x2x4z sk-inventory-service-v2-production'],
  ['a stack', 'com.example.shop.CheckoutServiceImpl$Proxy123.chargeCustomerCard(CheckoutServiceImpl.java:123)'],
  ['a path', '/api/v2/Customers/AllOrders/OfTheLast30Days/AndTheirItems'],
  ['times', '2026-01-31T10:00:00.123456Z 1767225600900 1767225600900123456 12:34:56.789'],
  ['counts', 'max_tokens=4096 tokens: 512 retries=3 p99=1234.5678ms'],
  ['sentences', 'Basic authentication failed: invalid token: expired. Bearer missing, authorization: denied'],
  ['what is about secrets', 'secretName: checkout-db token_type=bearer password_length=12 password=***'],
  ['placeholders', 'WHERE token_hash = $1 AND email = $1 AND password = ? user=%s'],
  ['signatures of errors', '"signature": "lookup <host>: i/o timeout", signature=handleRequest'],
  ['hosts', 'http://user:8080/users/2517 pci_hotplug: PCI sessionid: 0x14ede63a5a70002 amd64~~6.1.1.0'],
  ['this machine', '127.0.0.1:8080 ::1 0.0.0.0 localhost'],
  ['nobody', 'user=root user: not found user-agent: curl'],
  ['code', 'std::vector Foo::Bar a::b key => value std::map<int,int>'],
  ['a log template', 'connection to <*> refused after <*> ms'],
])('leaves %s alone', (_, text) => {
  expect(createRedactor().redact(text)).toBe(text);
});

describe('labels', () => {
  it('are the same for the same text, for as long as the redactor lives', () => {
    const redactor = createRedactor();
    expect(redactor.redact('ann@example.com, bob@example.com, ann@example.com')).toBe(
      '<email-1>, <email-2>, <email-1>',
    );
    expect(redactor.redact('password=hunter2 bob@example.com')).toBe('password=<secret-1> <email-2>');
    expect(redactor.redact('password=hunter2')).toBe('password=<secret-1>');
  });

  it('that the model made up stay as they are', () => {
    const redactor = createRedactor();
    redactor.redact('ann@example.com');
    expect(redactor.restore('<email-1> and <email-7>, <secret-1>')).toBe('ann@example.com and <email-7>, <secret-1>');
  });

  it('that a log line plants come back as they were, and not as somebody', () => {
    const redactor = createRedactor();
    const redacted = redactor.redact('see <email-1> of ann@example.com');
    expect(redacted).toBe('see <label-1> of <email-1>');
    expect(redactor.restore(redacted)).toBe('see <email-1> of ann@example.com');
  });

  it('stay what they are when an answer is sent again', () => {
    const redactor = createRedactor();
    const first = redactor.redact('password=hunter2 ann@example.com');
    expect(redactor.redact(redactor.restore(first))).toBe(first);
  });

  it('come back inside of JSON, without breaking it', () => {
    const redactor = createRedactor();
    const label = redactor.redact('"user":"O\'Neil /x"').match(/<person-1>/)?.[0];
    expect(redactor.restoreValue({ list: [`by ${label}`, 1, null] })).toEqual({ list: ["by O'Neil /x", 1, null] });
  });

  it('that are half there wait for the rest', () => {
    expect(['a <', 'a <email', 'a <email-1', 'a < b', 'a <email-1>'].map(withoutBegunLabel)).toEqual([
      'a ',
      'a ',
      'a ',
      'a < b',
      'a <email-1>',
    ]);
  });
});

const PIECES = ['ann@example.com', '10.1.2.3', '2001:db8::1', '+49 30 12345678', 'user=bob', '<email-1>', '<label-2>'];

it('gives back every text that holds no secret, however it is put together', () => {
  const text = fc.array(
    fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 12 }), fc.constantFrom(' ', '\\n', ',')),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (texts) => {
      const redactor = createRedactor();
      for (const parts of texts) {
        const redacted = redactor.redact(parts.join(''));
        if (!redacted.includes('<secret-')) expect(redactor.restore(redacted)).toBe(parts.join(''));
      }
    }),
    { numRuns: 300 },
  );
});

it('leaves a quotation closed, whatever is in it', () => {
  const pieces = ['password=', 'user=', "'", '"', '\\', '\\\\"', '\n', 'hunter2', RANDOM, 'cookie: a=b', ...PIECES];
  const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
  const text = fc
    .array(fc.oneof(fc.constantFrom(...pieces, begin), fc.string({ maxLength: 5 })))
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (texts) => {
      const quotation = createRedactor().redact(quoteTelemetry([...texts, 'end']));
      expect(JSON.parse(quotation).telemetry).toHaveLength(texts.length + 1);
      expect(JSON.parse(quotation).telemetry.at(-1)).toBe('end');
    }),
    { numRuns: 300 },
  );
});

describe('takes time in proportion to the text', () => {
  const HOSTILE = [
    'a',
    '1',
    '@',
    'a@',
    'a.',
    '@a.',
    '-',
    '--',
    '-a',
    ':',
    '::',
    '/',
    '://',
    '://a:',
    '=',
    '"',
    "'",
    '\\',
    '\\"',
    '\\n',
    ' ',
    '+1',
    '4 1',
    'A1',
    'AB12 ',
    'password',
    'password=',
    'password="',
    'token: ',
    'Bearer ',
    'authorization: a ',
    'cookie:',
    'eyJ',
    'eyJa.',
    'sk-',
    'ghp_',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    '<',
    '<email-',
    '<email-1>',
    '1.1.1.',
    'user=',
    'Author: ',
    'é',
    '%40',
  ];
  const secondsFor = (text: string): number => {
    const began = process.cpuUsage();
    createRedactor().redact(text);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };

  it('also where the text is made to hurt', () => {
    const isSlow = (piece: string): boolean => {
      const [short, long] = [1, 16].map((times) => piece.repeat(Math.ceil((65_536 * times) / piece.length)));
      return secondsFor(long ?? '') / Math.max(0.002, secondsFor(short ?? '')) > 64; // 16 where it is linear, else 256
    };
    expect(HOSTILE.filter((piece) => isSlow(piece) && isSlow(piece) && isSlow(piece))).toEqual([]);
  });
});
