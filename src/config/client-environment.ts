/** What the client commands take from the environment. */
export interface ClientEnvironment {
  /** QUASAR_URL: the server when `--url` is not given. */
  readonly url: string | undefined;
  /** QUASAR_KEY_FILE: the file with the key to send when `--key-file` is not given. */
  readonly keyFile: string | undefined;
  /** TERM=dumb: a terminal whose lines cannot be redrawn. */
  readonly dumbTerminal: boolean;
}

export function readClientEnvironment(variables: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  return {
    url: unlessEmpty(variables.QUASAR_URL),
    keyFile: unlessEmpty(variables.QUASAR_KEY_FILE),
    dumbTerminal: variables.TERM === 'dumb',
  };
}

function unlessEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
