import { resolve } from 'node:path';
import type { Config, TokenKeysPlace } from './config.ts';
import type { ConfigValues } from './config-values.ts';

/** Where a path of a config file, and a secret, starts. */
interface Folders {
  readonly directory: string | undefined;
  readonly secretsDirectory: string;
}

export function tokenConfig(values: ConfigValues, folders: Folders): Config['tokens'] {
  return {
    keys: keysPlace(values, folders),
    algorithms: values.get('quasar.conf', 'tokens.algorithms'),
    issuer: values.get('quasar.conf', 'tokens.issuer'),
    audience: values.get('quasar.conf', 'tokens.audience'),
    audienceOnly: values.get('quasar.conf', 'tokens.audienceOnly'),
    orgClaim: values.get('quasar.conf', 'tokens.orgClaim'),
    ageMaxMs: values.get('quasar.conf', 'tokens.ageMax'),
    withoutScope: values.get('quasar.conf', 'tokens.withoutScope'),
  };
}

function keysPlace(values: ConfigValues, { directory, secretsDirectory }: Folders): TokenKeysPlace | undefined {
  const url = values.get('quasar.conf', 'tokens.jwksUrl');
  if (url !== undefined) return { kind: 'jwksUrl', url };
  const path = values.get('quasar.conf', 'tokens.jwksFile');
  if (path !== undefined) return { kind: 'jwksFile', path: resolve(directory ?? '.', path) };
  if (!values.get('quasar.conf', 'tokens.sharedSecret')) return undefined;
  return { kind: 'sharedSecret', secret: { directory: secretsDirectory, name: TOKEN_SECRET } };
}

/** The operator writes it, and its issuer's administrator into the issuer. */
const TOKEN_SECRET = 'jwt-secret';
