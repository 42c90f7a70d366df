import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ConnectionFault } from '../../../../bench/load/http/connection-fault.ts';
import { HttpConnection, type WireRequest } from '../../../../bench/load/http/http-connection.ts';
import { Pace } from '../../../../bench/load/http/pace.ts';
import { TextSink } from '../../../../bench/load/requests/answer-sinks.ts';
import { SilenceWatch } from '../../../../bench/load/worker/silence-watch.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get: WireRequest = { head: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', isAnsweredWithBody: true };

/** Listens with this behaviour for each connection, and returns a connection to it. */
async function serve(t: Test, behave: (socket: Socket, count: number) => void, bytesPerSecond?: number) {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    behave(socket, count);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const moved = { sent: 0, received: 0 };
  const { port } = server.address() as { port: number };
  const connection = new HttpConnection({
    target: { host: '127.0.0.1', port, tls: false },
    bytesPerSecond,
    readBuffer: Buffer.alloc(64 * 1024),
    onMoved: (sent, received) => {
      moved.sent += sent;
      moved.received += received;
    },
  });
  t.teardown(() => connection.break(new ConnectionFault('stopped')));
  return { connection, moved, connections: () => count };
}

async function textOf(connection: HttpConnection, request: WireRequest = get): Promise<string> {
  const sink = new TextSink();
  await connection.exchange(request, sink);
  return sink.text;
}

/** The kind of the fault that a request ends with. */
async function faultOf(connection: HttpConnection, request: WireRequest = get): Promise<string> {
  return connection.exchange(request, new TextSink()).then(
    () => 'none',
    (fault: ConnectionFault) => fault.kind,
  );
}

function upload(size: number, cutAfter?: number): WireRequest {
  const body = { size, fill: (target: Buffer, offset: number, length: number) => void target.fill(offset % 251, 0, length) };
  const head = `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`;
  return { head, isAnsweredWithBody: true, body, ...(cutAfter === undefined ? {} : { cutAfter }) };
}

t.test('a connection is kept between requests, and opened again when the server closed it', async (t) => {
  const { connection, connections } = await serve(t, (socket, count) => {
    socket.on('data', () => socket.write(OK, () => (count === 2 ? socket.end() : undefined)));
  });
  t.equal(await textOf(connection), 'ok');
  t.equal(await textOf(connection), 'ok');
  t.equal(connections(), 1);
  connection.break(new ConnectionFault('stopped'));
  t.equal(await textOf(connection), 'ok');
  await delay(20);
  t.equal(await textOf(connection), 'ok');
  t.equal(connections(), 3);
});

t.test('a body is sent whole, in order', async (t) => {
  let received = 0;
  const size = 3_000_000;
  const { connection, moved } = await serve(t, (socket) => {
    socket.on('data', (bytes) => {
      received += bytes.length;
      if (received >= size) socket.write(OK);
    });
  });
  t.equal(await textOf(connection, upload(size)), 'ok');
  t.equal(moved.sent, size);
});

t.test('an answer that comes before the body is sent ends the sending', async (t) => {
  const { connection, connections } = await serve(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n'));
    socket.pause();
    socket.resume();
  });
  const { status } = await connection.exchange(upload(500_000_000), new TextSink());
  t.equal(status, 507);
  await connection.exchange(get, new TextSink());
  t.equal(connections(), 2, 'the first is of no more use');
});

t.test('cuts end the connection within the body, in both directions', async (t) => {
  let received = 0;
  const ended: Promise<unknown>[] = [];
  const { connection } = await serve(t, (socket) => {
    ended.push(once(socket, 'close'));
    socket.on('data', (bytes) => {
      received += bytes.length;
      if (bytes.includes('GET')) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${'a'.repeat(500)}`);
    });
  });
  t.equal(await faultOf(connection, upload(1_000_000, 400_000)), 'cut');
  await ended[0];
  t.equal(received, 400_000 + upload(1_000_000).head.length);
  t.equal(await faultOf(connection, { ...get, cutAfter: 300 }), 'cut');
  await ended[1];
});

t.test('faults are told apart', async (t) => {
  const short = await serve(t, (socket) => socket.on('data', () => socket.end(OK.slice(0, -1))));
  t.equal(await faultOf(short.connection), 'short body');
  const silent = await serve(t, (socket) => socket.on('data', () => socket.end()));
  t.equal(await faultOf(silent.connection), 'reset');
  const reset = await serve(t, (socket) => socket.on('data', () => socket.resetAndDestroy()));
  t.equal(await faultOf(reset.connection), 'reset');
  const strange = await serve(t, (socket) => socket.on('data', () => socket.write('hello\r\n\r\n')));
  t.equal(await faultOf(strange.connection), 'not HTTP');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const target = { host: '127.0.0.1', port, tls: false };
  const nobody = new HttpConnection({ target, bytesPerSecond: undefined, readBuffer: Buffer.alloc(9), onMoved: () => undefined });
  t.equal(await faultOf(nobody), 'refused');
});

t.test('a request in which nothing moves is broken off', async (t) => {
  const { connection } = await serve(t, (socket) => socket.on('data', () => undefined));
  const watch = new SilenceWatch([connection], 50);
  t.equal(await faultOf(connection), 'timeout');
  watch.end();
});

t.test('a slow client gets and sends the same bytes', async (t) => {
  const { connection, moved } = await serve(
    t,
    (socket) => {
      let received = 0;
      socket.on('data', (bytes) => {
        received += bytes.length;
        if (bytes.includes('GET')) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'a'.repeat(60_000)}`);
        else if (received >= 200_000) socket.write(OK);
      });
    },
    2_000_000,
  );
  t.equal(await textOf(connection), 'a'.repeat(60_000));
  t.equal(await textOf(connection, upload(200_000)), 'ok');
  t.equal(moved.sent, 200_000);
});

t.test('a pace waits as long as the bytes take at its speed, and saves nothing up', async (t) => {
  const pace = new Pace(1_000_000);
  t.equal(pace.moved(5000, 100), 5);
  t.equal(pace.moved(5000, 102), 8);
  t.equal(pace.moved(5000, 1000), 5);
});
