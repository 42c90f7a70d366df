import type { CommandContext, FlagSpec } from './command.ts';
import type { HttpClient } from './http-client.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';

export const urlFlag: FlagSpec = {
  name: 'url',
  kind: 'text',
  value: 'URL',
  unit: `default: QUASAR_URL, else ${DEFAULT_URL}`,
  description: 'Address of the server.',
};

export const jsonFlag: FlagSpec = { name: 'json', kind: 'switch', description: 'Print JSON, one object a line.' };

export const dataFlag: FlagSpec = {
  name: 'data',
  kind: 'text',
  value: 'DIR',
  default: './data',
  description: 'Data folder of the server; opened read-only, beside a running server too.',
};

/** Opens the client for `--url`, runs the work, closes the client whatever happens. */
export async function withClient<T>(context: CommandContext, work: (client: HttpClient) => Promise<T>): Promise<T> {
  const { HttpClient: Client } = await import('./http-client.ts');
  const client = await Client.open(context.flags.text('url') ?? context.environment.url ?? DEFAULT_URL, context.signal);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
