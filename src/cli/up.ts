import type { Command } from './command.ts';
import type { Flags } from './flags.ts';

export interface UpFlags {
  readonly data?: string;
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly acceptNode?: string;
  readonly acceptEmptyDatabase?: boolean;
}

/** The role is handed in by main.ts, the only one that may know roles. */
export function upCommand(runUp: (flags: UpFlags) => Promise<number>): Command {
  return {
    name: 'up',
    purpose: 'Run everything on this machine: database, storage node and HTTP API.',
    usage: '',
    arguments: [],
    argumentCount: { min: 0, max: 0 },
    flags: [
      {
        name: 'data',
        kind: 'text',
        value: 'DIR',
        unit: 'default: quasar.conf, else ./data',
        description: 'Folder that holds all data; made when missing.',
      },
      {
        name: 'config',
        kind: 'text',
        value: 'DIR',
        unit: 'default: /etc/quasar/config if present, else none',
        description: 'Folder with *.conf files and secrets.',
      },
      {
        name: 'host',
        kind: 'text',
        value: 'HOST',
        unit: 'default: quasar.conf, else 127.0.0.1',
        description: 'Address to listen on; beyond loopback only with http.behind-tls-proxy in quasar.conf.',
      },
      {
        name: 'port',
        kind: 'count',
        value: 'PORT',
        unit: 'default: quasar.conf, else 8080',
        min: 0,
        max: 65_535,
        description: 'Port to listen on; 0 takes any free one.',
      },
      {
        name: 'accept-node',
        kind: 'text',
        value: 'ID',
        description: 'Go on with this storage node although the database belongs to another, lost one.',
      },
      {
        name: 'accept-empty-database',
        kind: 'switch',
        description: 'Go on with an empty database although the storage node holds documents.',
      },
    ],
    examples: [
      { line: 'quasar up', explanation: 'Serve http://127.0.0.1:8080 from ./data.' },
      { line: 'quasar up --data /srv/quasar --port 9000', explanation: 'Another folder, another port.' },
    ],
    exitCodes: [1, 2, 5, 6],
    stopsItself: true,
    run: ({ flags }) => runUp(upFlags(flags)),
  };
}

function upFlags(flags: Pick<Flags, 'text' | 'count' | 'switch'>): UpFlags {
  const data = flags.text('data');
  const config = flags.text('config');
  const host = flags.text('host');
  const port = flags.count('port');
  const acceptNode = flags.text('accept-node');
  return {
    ...(data === undefined ? {} : { data }),
    ...(config === undefined ? {} : { config }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(acceptNode === undefined ? {} : { acceptNode }),
    ...(flags.switch('accept-empty-database') ? { acceptEmptyDatabase: true } : {}),
  };
}
