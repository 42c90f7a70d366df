import { duration, integer, size } from './config-key.ts';

const REQUESTS_MAX = 1_000_000;
const BYTES_MAX = 1024 ** 4;

/** How fast credentials and organisations may ask. A rate of 0 is none. */
export const rateKeys = {
  'rates.requestsPerKey': integer({
    min: 0,
    max: REQUESTS_MAX,
    default: 0,
    description:
      'Requests a second of one API key, or of all tokens of one subject; more are answered 429 with Retry-After. 0 is no limit, here and in the next three.',
  }),
  'rates.requestsPerOrg': integer({
    min: 0,
    max: REQUESTS_MAX,
    default: 0,
    description: 'Requests a second of one organisation.',
  }),
  'rates.bytesPerKey': size({
    min: 0,
    max: BYTES_MAX,
    default: 0,
    description: 'Bytes of content a second, up and down together, of one API key, or of all tokens of one subject.',
  }),
  'rates.bytesPerOrg': size({
    min: 0,
    max: BYTES_MAX,
    default: 0,
    description: 'Bytes of content a second, up and down together, of one organisation.',
  }),
  'rates.refusalsPerAddress': integer({
    min: 0,
    max: REQUESTS_MAX,
    default: 10,
    description:
      'Credentials a second that one address (of IPv6: one network of 64 bits) may try in vain; further ones are answered 429 before they are looked at. Those that were good here a moment ago pass. 0 is no limit.',
  }),
  'rates.burst': duration({
    min: 1000,
    max: 3_600_000,
    default: 10_000,
    description:
      'After a pause this much of each rate may be taken at once: with 10s, 500 requests at 50 a second. What is larger by itself passes when all of it is there, and is waited for afterwards.',
  }),
} as const;
