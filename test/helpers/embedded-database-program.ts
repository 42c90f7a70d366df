import { silentLog } from '../../src/core/log.ts';
import { EmbeddedDatabase } from '../../src/database/embedded-database.ts';

/** A program to be killed: opens the database in the directory given, says which process serves it, and stays. */
const [dataDirectory] = process.argv.slice(2);
const database = await EmbeddedDatabase.open({ dataDirectory: dataDirectory as string, password: 'c0ffee', log: silentLog });
process.stdout.write(`${database.server.pid} ${database.server.socketDirectory}\n`);
setInterval(() => undefined, 60_000);
