import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LimitError, UnavailableError } from '../platform/errors.ts';
import { type Database, openDatabase } from './database.ts';

let server: Server;
let database: Database;
let code: string;

/** A server that has no memory, or no time, for anything. */
beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(500, { 'X-ClickHouse-Exception-Code': code });
      response.end(`Code: ${code}. DB::Exception: (total) memory limit exceeded. (SOME_LIMIT)\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = { url: `http://127.0.0.1:${port}`, user: 'default', password: '' };
  database = await openDatabase({ ...address, database: 'inquest', isForeign: true });
});
afterEach(async () => {
  await database.close();
  await new Promise((resolve) => server.close(resolve));
});

it.each(['241', '159'])('an insert that the engine lacks the means for (%s) may be sent again', async (given) => {
  code = given;
  const inserted = database.insert('otel_logs', [{ Body: 'x' }], undefined, { token: 'one' });
  await expect(inserted).rejects.toBeInstanceOf(UnavailableError);
  const read = database.read('SELECT 1 AS one', {}, { tag: 'test', maxRows: 1 });
  await expect(read).rejects.toBeInstanceOf(LimitError);
});
