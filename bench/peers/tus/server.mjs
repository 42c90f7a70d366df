/**
 * The tus protocol's own server for Node, storing into a folder: `node server.mjs PORT FOLDER`. It runs from the folder
 * that its packages are installed in.
 */
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

const [port, directory] = process.argv.slice(2);

const server = new Server({
  path: '/files',
  datastore: new FileStore({ directory }),
  // Named by the client, so that it knows where to read: /files?name=3
  namingFunction: (request) => new URL(request.url).searchParams.get('name'),
});
server.listen(Number(port), '127.0.0.1');

// On Node 20 a Response now and then closes the stream of a file that has ended a second time, where nobody can catch it,
// and the process would end. The answer is complete by then.
process.on('uncaughtException', (error) => {
  if (error.code !== 'ERR_INVALID_STATE') throw error;
});
