import type { CommandContext, FlagSpec } from './command.ts';
import type { HttpClient } from './http-client.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';
/** Where a server that was started in this folder leaves its administrator's key. */
export const DEFAULT_KEY_FILE = './data/secrets/admin-key';

const urlFlag: FlagSpec = {
  name: 'url',
  kind: 'text',
  value: 'URL',
  unit: `default: QUASAR_URL, else ${DEFAULT_URL}`,
  description: 'Address of the server.',
};

const keyFileFlag: FlagSpec = {
  name: 'key-file',
  kind: 'text',
  value: 'FILE',
  unit: `default: QUASAR_KEY_FILE, else ${DEFAULT_KEY_FILE} for a server on this machine`,
  description: 'File with the key to show to the server.',
};

/** Of every command that talks to a server. */
export const serverFlags: readonly FlagSpec[] = [urlFlag, keyFileFlag];

export const jsonFlag: FlagSpec = { name: 'json', kind: 'switch', description: 'Print JSON, one object a line.' };

export const dataFlag: FlagSpec = {
  name: 'data',
  kind: 'text',
  value: 'DIR',
  default: './data',
  description: 'Data folder of the server; opened read-only, beside a running server too.',
};

/** Of commands that read segments, where two organisations may have a document of the same id. */
export const orgFlag: FlagSpec = {
  name: 'org',
  kind: 'text',
  value: 'ID',
  description: 'Only what this organisation stored; "quasar ls --segments" names it for each document.',
};

/** Opens the client for `--url` with the key of `--key-file`, runs the work, closes the client whatever happens. */
export async function withClient<T>(context: CommandContext, work: (client: HttpClient) => Promise<T>): Promise<T> {
  const client = await openClient(context);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function openClient({ flags, environment, signal }: CommandContext): Promise<HttpClient> {
  const [{ HttpClient, parseAddress }, { readClientKey }] = await Promise.all([
    import('./http-client.ts'),
    import('./client-key.ts'),
  ]);
  const url = parseAddress(flags.text('url') ?? environment.url ?? DEFAULT_URL);
  const names = { flag: flags.text('key-file'), environment: environment.keyFile, fallback: DEFAULT_KEY_FILE };
  return HttpClient.open(url, { signal, key: await readClientKey({ ...names, url }) });
}
