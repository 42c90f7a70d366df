/** What the client commands take from the environment. */
export interface ClientEnvironment {
  /** QUASAR_URL: the server when `--url` is not given. */
  readonly url: string | undefined;
  /** TERM=dumb: a terminal whose lines cannot be redrawn. */
  readonly dumbTerminal: boolean;
}

export function readClientEnvironment(variables: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  const url = variables.QUASAR_URL;
  return { url: url === '' ? undefined : url, dumbTerminal: variables.TERM === 'dumb' };
}
