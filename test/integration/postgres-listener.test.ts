import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { silentLog } from '../../src/core/log.ts';
import { PostgresListener } from '../../src/database/postgres-listener.ts';
import { openTestDatabase } from '../helpers/postgres.ts';

const { database, admin } = await openTestDatabase(t);

/** What a listener was told, and said of itself. */
class Ear {
  readonly heard: string[] = [];
  readonly states: boolean[] = [];
  readonly listener: PostgresListener;

  constructor(t: { teardown(handler: () => Promise<void>): void }, target = database.server.target('quasar')) {
    this.listener = PostgresListener.start({
      ...{ target, channel: 'test_channel', log: silentLog },
      onNotification: (payload) => this.heard.push(payload),
      onListening: (listening) => this.states.push(listening),
    });
    t.teardown(() => this.listener.close());
  }

  get listening(): boolean {
    return this.states.at(-1) === true;
  }
}

/** For a minute at most: machines may be slow. */
async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; waited < 60_000 && !holds(); waited += 10) await sleep(10);
  if (!holds()) throw new Error('it did not come to hold');
}

async function tell(payload: string): Promise<void> {
  await admin.query("SELECT pg_notify('test_channel', $1)", [payload]);
}

/** The server processes of listeners that are alive. */
async function listenerPids(): Promise<number[]> {
  const text = "SELECT pid FROM pg_stat_activity WHERE application_name = 'quasar listener'";
  return (await admin.query<{ pid: number }>(text)).rows.map(({ pid }) => pid);
}

t.test('what is told on the channel is heard in its order, and what is told on another is not', async (t) => {
  const ear = new Ear(t);
  await until(() => ear.listening);
  t.strictSame(ear.states, [true]);
  await admin.query("SELECT pg_notify('another_channel', 'x')");
  for (const payload of ['one', '', 'three']) await tell(payload);
  await until(() => ear.heard.length === 3);
  t.strictSame(ear.heard, ['one', '', 'three']);
});

t.test('a killed connection is noticed, said, and made again', async (t) => {
  const ear = new Ear(t);
  await until(() => ear.listening);
  for (const pid of await listenerPids()) await admin.query('SELECT pg_terminate_backend($1)', [pid]);
  await until(() => ear.states.length >= 3);
  t.strictSame(ear.states.slice(0, 3), [true, false, true]);
  await tell('after');
  await until(() => ear.heard.includes('after'));
});

t.test('a connection that has gone silent is noticed', async (t) => {
  const ear = new Ear(t);
  await until(() => ear.listening);
  const stopped = await listenerPids();
  t.equal(stopped.length, 1);
  for (const pid of stopped) process.kill(pid, 'SIGSTOP');
  t.teardown(() => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
  });
  await until(() => ear.states.length >= 3);
  t.strictSame(ear.states.slice(0, 3), [true, false, true], 'the next connection has another process');
  await tell('meanwhile');
  await until(() => ear.heard.includes('meanwhile'));
});

t.test('where no connection can be had it says that nothing is heard, and ends when it is told to', async (t) => {
  const ear = new Ear(t, { ...database.server.target('quasar'), database: 'no_such_database' });
  await until(() => ear.states.length >= 2);
  t.ok(ear.states.every((state) => !state));
  await ear.listener.close();
  const { length } = ear.states;
  await sleep(500);
  t.equal(ear.states.length, length);
});

t.test('closing ends the connection, says so, and may be done twice', async (t) => {
  const ear = new Ear(t);
  await until(() => ear.listening);
  await Promise.all([ear.listener.close(), ear.listener.close()]);
  await ear.listener.close();
  t.strictSame(ear.states, [true, false]);
  await tell('nobody listens');
  t.strictSame(ear.heard, []);
});
