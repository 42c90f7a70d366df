import { isAbsolute } from 'node:path';

/** How far TLS goes, in the words of libpq. Its `allow` and `prefer` promise nothing and are refused. */
export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** What a database URL says; files as they are written there. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: {
    /** Undefined: the URL does not say. Then it is in the clear. */
    readonly mode: TlsMode | undefined;
    /** PEM file of authorities; `system` and undefined are those that Node.js knows. */
    readonly rootCertFile: string | undefined;
    /** PEM files with which we show who we are; both or neither. */
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
}

const MODES: readonly TlsMode[] = ['disable', 'require', 'verify-ca', 'verify-full'];
const FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;
const KNOWN = ['sslmode', ...FILES];

/** The address, or what is wrong with it as the end of a sentence that begins with the key; no part of the URL is repeated but names. */
export function parseDatabaseUrl(text: string): DatabaseAddress | string {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) return 'must read postgres://USER:PASSWORD@HOST:PORT/DATABASE';
  const misread = findMisreading(text, url);
  if (misread !== undefined) return misread;
  const options = url.searchParams;
  const unknown = [...options.keys()].find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) return `has the parameter "${unknown}", which is not known here; known are ${KNOWN.join(', ')}`;
  if (new Set(options.keys()).size !== [...options.keys()].length) return 'has a parameter twice';
  const parts = decodeParts(url);
  if (parts === undefined) return 'has a % that is not followed by two hexadecimal digits; write %25 for %';
  // The folder of a Unix socket is a host whose slashes are written %2F.
  const host = parts.host === '' ? 'localhost' : parts.host;
  const fault = findTlsFault(options, host);
  if (fault !== undefined) return fault;
  const [rootCertFile, certFile, keyFile] = FILES.map((name) => options.get(name) ?? undefined);
  const tls = { mode: (options.get('sslmode') as TlsMode | null) ?? undefined, rootCertFile, certFile, keyFile };
  return { ...parts, host, port: url.port === '' ? 5432 : Number(url.port), tls };
}

/** What a parser of URLs drops without a word, or reads as something else than PostgreSQL's own programs do. */
function findMisreading(text: string, { hostname, port, pathname }: URL): string | undefined {
  if (text.includes('#')) return 'has a #, behind which nothing would count; write %23 for #';
  if (/[\s\p{Cc}]/u.test(text)) return 'has a space, or a character that is not seen; write %20 for a space';
  if (hostname.includes(',')) return 'names several hosts; name one';
  if (port === '0') return 'has the port 0';
  if (pathname === '' || pathname === '/') return 'names no database; put its name behind the host: /quasar';
  return undefined;
}

function findTlsFault(options: URLSearchParams, host: string): string | undefined {
  const mode = options.get('sslmode');
  if (mode === 'prefer' || mode === 'allow')
    return `has sslmode=${mode}, with which anybody on the way can have the connection in the clear; write one of ${MODES.join(', ')}`;
  if (mode !== null && !MODES.includes(mode as TlsMode)) return `has an sslmode that is none of ${MODES.join(', ')}`;
  const file = FILES.find((name) => options.has(name));
  if (FILES.some((name) => options.get(name) === '')) return 'has an empty file name';
  if (file !== undefined && (mode === null || mode === 'disable')) return `has ${file}, but no sslmode that uses it`;
  if (options.has('sslcert') !== options.has('sslkey')) return 'has one of sslcert and sslkey; set both';
  if (mode !== null && mode !== 'disable' && isAbsolute(host)) return `has sslmode=${mode}, but a Unix socket has no TLS`;
  return undefined;
}

/** An IPv6 address loses its brackets. */
function decodeParts(url: URL): Pick<DatabaseAddress, 'host' | 'user' | 'password' | 'database'> | undefined {
  try {
    return {
      host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    };
  } catch {
    return undefined;
  }
}
