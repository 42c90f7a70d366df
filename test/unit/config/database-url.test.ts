import t from 'tap';
import { parseDatabaseUrl } from '../../../src/config/database-url.ts';

t.test('an address is read in full', async (t) => {
  t.match(parseDatabaseUrl('postgresql://u%40x:p%3Aw@db.example.org:6000/my%20db?sslmode=verify-full&sslrootcert=ca.pem'), {
    host: 'db.example.org',
    port: 6000,
    user: 'u@x',
    password: 'p:w',
    database: 'my db',
    tls: { mode: 'verify-full', rootCertFile: 'ca.pem', certFile: undefined, keyFile: undefined },
  });
  t.match(parseDatabaseUrl('postgres://u:p@[::1]/d'), { host: '::1', port: 5432, tls: { mode: undefined } });
  t.match(parseDatabaseUrl('postgres://u:p@%2Frun%2Fpostgresql/d'), { host: '/run/postgresql' });
  t.match(parseDatabaseUrl('postgres:///d'), { host: 'localhost' });
});

t.test('a parameter is honoured or refused, and no secret is repeated', async (t) => {
  for (const [options, fault] of [
    ['sslmode=prefer', /sslmode=prefer.*in the clear/],
    ['sslmode=allow', /sslmode=allow.*in the clear/],
    ['sslmode=Verify-Full', /none of disable, require, verify-ca, verify-full/],
    ['sslmode=', /none of/],
    ['ssl=true', /parameter "ssl", which is not known/],
    ['sslMode=require', /"sslMode", which is not known/],
    ['sslcrl=x', /"sslcrl"/],
    ['channel_binding=require', /"channel_binding"/],
    ['sslmode=require&sslmode=disable', /twice/],
    ['sslrootcert=ca.pem', /sslrootcert, but no sslmode/],
    ['sslmode=disable&sslcert=c&sslkey=k', /sslcert, but no sslmode/],
    ['sslmode=verify-full&sslcert=c.pem', /set both/],
    ['sslmode=verify-full&sslrootcert=', /empty file name/],
    ['host=elsewhere', /"host", which is not known/],
  ] as const) {
    const said = parseDatabaseUrl(`postgres://user:hunter2@db/quasar?${options}`);
    t.match(said, fault, options);
    t.notMatch(said, /hunter2/);
  }
  t.match(parseDatabaseUrl('postgres://u:p@%2Frun%2Fpostgresql/d?sslmode=require'), /Unix socket has no TLS/);
  t.match(parseDatabaseUrl('postgres://u:p%zz@h/d'), /%25/);
  t.match(parseDatabaseUrl('mysql://h/d'), /must read postgres/);
});

t.test('nothing of an address is dropped without a word', async (t) => {
  for (const [url, fault] of [
    ['postgres://u:hunter2@db/quasar#sslmode=verify-full', /%23/],
    ['postgres://u:hunter2@db/quasar?sslmode=verify-full#', /%23/],
    ['postgres://u#hunter2@db/quasar', /%23/],
    [' postgres://u:hunter2@db/quasar', /space/],
    ['postgres://u:hunter2@db/quasar ', /space/],
    ['postgres://u:hunter2@db/quasar\n?sslmode=disable', /space/],
    ['postgres://u:hun\tter2@db/quasar', /space/],
    ['postgres://u:hunter2@db1,db2/quasar', /several hosts/],
    ['postgres://u:hunter2@db:0/quasar', /port 0/],
    ['postgres://u:hunter2@db', /no database/],
    ['postgres://u:hunter2@db/?sslmode=verify-full', /no database/],
  ] as const) {
    const said = parseDatabaseUrl(url);
    t.match(said, fault, url);
    t.notMatch(said, /hunter2/);
  }
  t.match(parseDatabaseUrl('postgres://u:p%23%20@db/my%20db'), { password: 'p# ', database: 'my db' });
});
