import { gzipSync } from 'node:zlib';
import t from 'tap';
import { fetchJwks } from '../../../src/access/jwks-url.ts';
import { limits } from '../../../src/core/limits.ts';
import { jwksServer } from '../../helpers/jwks-server.ts';
import { issuerKey, jwksOf } from '../../helpers/jwt-issuer.ts';

const text = jwksOf(issuerKey('EdDSA'));
const open = new AbortController().signal;

t.test('the text of the set is what the server answers', async (t) => {
  const server = await jwksServer(t, text);
  t.equal(await fetchJwks(new URL(server.url), open), text);
  t.same(server.asked, ['/jwks.json']);
});

t.test('no redirect is followed, not even on the same server', async (t) => {
  const elsewhere = await jwksServer(t, text);
  const server = await jwksServer(t, text);
  for (const location of [elsewhere.url, '/other.json']) {
    for (const status of [301, 302, 303, 307, 308]) {
      server.answer = (_, response) => response.writeHead(status, { location }).end();
      await t.rejects(fetchJwks(new URL(server.url), open), `${status} ${location}`);
    }
  }
  t.same(elsewhere.asked, []);
  t.ok(server.asked.every((path) => path === '/jwks.json'));
});

t.test('any status but 200 is a failure, whatever the body', async (t) => {
  const server = await jwksServer(t, text);
  for (const status of [201, 203, 204, 400, 404, 500, 503]) {
    server.answer = (_, response) => response.writeHead(status).end(status === 204 ? undefined : text);
    await t.rejects(fetchJwks(new URL(server.url), open), new RegExp(String(status)));
  }
});

t.test('an answer is read up to its bound, though it has no end', async (t) => {
  const server = await jwksServer(t, text);
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  let cut = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    cut = resolve;
  });
  server.answer = (_, response) => {
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', pour).on('close', cut);
    pour();
  };
  await t.rejects(fetchJwks(new URL(server.url), open), /larger/);
  await gone;
  server.answer = (_, response) => response.end(text.padEnd(limits.jwksSizeMax));
  t.equal((await fetchJwks(new URL(server.url), open)).length, limits.jwksSizeMax);
});

t.test('an answer that unpacks to more than the bound is given up', async (t) => {
  const server = await jwksServer(t, text);
  const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, 0x20));
  server.answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  await t.rejects(fetchJwks(new URL(server.url), open), /larger/);
});

t.test('a server that does not answer is left when the source closes', async (t) => {
  const server = await jwksServer(t, text);
  const closing = new AbortController();
  server.answer = () => closing.abort();
  await t.rejects(fetchJwks(new URL(server.url), closing.signal));
  const midway = new AbortController();
  server.answer = (_, response) => response.write('{"keys":', () => midway.abort());
  await t.rejects(fetchJwks(new URL(server.url), midway.signal));
});

t.test('nobody there is a failure', async (t) => {
  await t.rejects(fetchJwks(new URL('http://127.0.0.1:9/jwks'), open));
});
