import type { Secret } from './secret.ts';
import type { SecretPlace } from './secrets.ts';

/** Where the keys are that tokens are checked with. */
export type TokenKeysPlace =
  | { readonly kind: 'jwksUrl'; readonly url: string }
  | { readonly kind: 'jwksFile'; readonly path: string }
  | { readonly kind: 'sharedSecret'; readonly secret: SecretPlace };

/** What the program runs with, checked. Sizes in bytes, durations in milliseconds, paths absolute. */
export interface Config {
  /** The config folder, when there is one. */
  readonly directory: string | undefined;
  readonly dataDirectory: string;
  /** `secrets/` of the config folder, without one of the data folder. It may not exist yet. */
  readonly secretsDirectory: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly adapter: 'net' | 'node';
    readonly connectionsMax: number;
    /** Always true when `host` is beyond loopback. */
    readonly behindTlsProxy: boolean;
    /** Addresses and networks; none when nobody in front is believed. */
    readonly trustedProxies: readonly string[];
    readonly forwardedHeader: 'auto' | 'x-forwarded-for' | 'forwarded';
  };
  readonly tokens: {
    /** Undefined: no token is taken, only API keys. */
    readonly keys: TokenKeysPlace | undefined;
    /** Of a JWK set; a shared secret has HS256. */
    readonly algorithms: readonly ('EdDSA' | 'ES256' | 'RS256')[];
    readonly issuer: string | undefined;
    readonly audience: string | undefined;
    readonly audienceOnly: boolean;
    readonly orgClaim: string;
    readonly ageMaxMs: number;
    readonly withoutScope: 'nothing' | 'everything';
  };
  /** Units a second; 0: not limited. */
  readonly rates: {
    readonly requestsPerKey: number;
    readonly requestsPerOrg: number;
    readonly bytesPerKey: number;
    readonly bytesPerOrg: number;
    readonly refusalsPerAddress: number;
    /** What of each rate may be taken at once. */
    readonly burstMs: number;
  };
  readonly uploads: {
    readonly inFlightMax: number;
    readonly sizeMax: number;
    readonly lifetimeMs: number;
    readonly progressBytesMin: number;
    readonly progressWindowMs: number;
  };
  readonly downloads: { readonly stallMs: number };
  readonly memory: {
    readonly slabSize: number;
    /** What uploads may hold of the slab together; never less than `uploads.inFlightMax`. */
    readonly uploadSlotsMax: number;
  };
  readonly shutdown: { readonly drainMs: number };
  readonly database: {
    /** Undefined: run a server of our own. */
    readonly url: Secret | undefined;
    /** Where locks, notifications and migrations go; `url` unless set. */
    readonly directUrl: Secret | undefined;
    readonly poolSize: number;
    readonly connectTimeoutMs: number;
    readonly statementTimeoutMs: number;
  };
  readonly storage: {
    readonly segmentSize: number;
    readonly spareSegments: number;
    readonly freeSpaceFloorRatio: number;
    readonly freeSpaceFloorBytes: number;
    readonly chunker: 'fixed' | 'fastcdc-v1';
    readonly directIo: 'auto' | 'off';
    readonly scrub: {
      readonly enabled: boolean;
      readonly intervalMs: number;
      /** Bytes a second. */
      readonly rateMax: number;
    };
  };
  readonly logging: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'json' | 'pretty';
  };
}
