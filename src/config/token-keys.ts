import { limits } from '../core/limits.ts';
import { duration, jwksUrl, oneOf, optionalPath, optionalText, someOf, text, toggle } from './config-key.ts';

/** What makes a token (JWT) of somebody else's identity provider count here. */
export const tokenKeys = {
  'tokens.jwksUrl': jwksUrl({
    example: 'https://id.example.org/jwks.json',
    description:
      'JWK set of the provider that issues tokens (JWTs). Set this, tokens.jwksFile or tokens.sharedSecret; without all three only API keys are taken.',
  }),
  'tokens.jwksFile': optionalPath({
    example: './jwks.json',
    description: 'The JWK set in a file. It may be replaced, by renaming another over it, while the server runs.',
  }),
  'tokens.sharedSecret': toggle({
    default: false,
    confidential: true,
    description:
      'Tokens are signed with HS256 and the secret in secrets/jwt-secret, a file that you write: at least 32 bytes. For a pilot, since whoever checks tokens with it can issue them too.',
  }),
  'tokens.algorithms': someOf(['EdDSA', 'ES256', 'RS256'], {
    default: ['EdDSA', 'ES256', 'RS256'],
    description: 'What tokens may be signed with when their keys are in a JWK set.',
  }),
  'tokens.issuer': optionalText({
    example: 'https://id.example.org/',
    description: 'What iss of a token must be, character by character. Without it iss is not looked at.',
  }),
  'tokens.audience': optionalText({
    example: 'https://quasar.example.org',
    description: 'What aud of a token must be, or contain. Without it aud is not looked at.',
  }),
  'tokens.audienceOnly': toggle({
    default: false,
    description: 'Refuse a token that is for others beside tokens.audience: each of them could use it here.',
  }),
  'tokens.orgClaim': text({
    default: 'org_id',
    description: "The claim of a token that holds the organisation's id.",
  }),
  'tokens.ageMax': duration({
    min: 60_000,
    max: limits.tokenAgeMaxMs,
    default: limits.tokenAgeMaxMs,
    description: 'A token is refused when iat is longer ago than this, whatever its exp says.',
  }),
  'tokens.withoutScope': oneOf(['nothing', 'everything'], {
    default: 'nothing',
    description:
      'What a token with neither scope nor caps may be used for: nothing, or everything its principal may. Only for providers that cannot say.',
  }),
} as const;
