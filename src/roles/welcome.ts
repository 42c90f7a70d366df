import { DEFAULT_URL } from '../cli/client-flags.ts';
import type { Config } from '../config/config.ts';
import type { AllInOne } from './all-in-one.ts';

/** One screen for whoever has just typed `npm start`: where everything is, and what to try first. */
export function welcome(config: Config, { edge, databaseLost, database, node }: AllInOne): string {
  const url = `http://${edge.host.includes(':') ? `[${edge.host}]` : edge.host}:${edge.port}`;
  const { missingSegments } = node.health();
  const disk = node.health().directIo
    ? 'O_DIRECT, fdatasync before every acknowledgement'
    : 'page cache, fdatasync before every acknowledgement';
  return `
  ${missingSegments === undefined ? 'Quasar is ready.' : `Quasar is NOT ready: ${missingSegments} See "Missing segments" in docs/operations.md.`}

    API       ${url}/v1   (contract: ${url}/v1/openapi.json)
    data      ${config.dataDirectory}
    config    ${config.directory ?? 'built-in defaults; see config/*.conf.example'}
    database  ${database.place}
    disk      ${disk}
    server    ${edge.name}
${databaseLost ? LOST : ''}
  Try, in another terminal:
${url === DEFAULT_URL ? '' : `\n    export QUASAR_URL=${url}`}
    npx quasar put README.md
    npx quasar ls
    curl -s ${url}/v1/ready

  Ctrl-C stops it in order. Nothing acknowledged is lost if you pull the plug instead.

`;
}

const LOST = `
  The database is empty, but the storage node holds documents. If the database was lost, their bytes and names are
  safe: stop this server and read "Lost database" in docs/operations.md first.
`;
