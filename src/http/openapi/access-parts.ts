import type { ErrorCode } from '../../core/errors.ts';
import type { RouteAccess } from '../route-access.ts';

/** How requests say who they are. */
export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key (`quasar_…`), or a JWT of the issuer the server is configured for. Never in a URL.',
  },
};

/** Nothing is asked of open routes; an empty requirement beside the scheme says that it may be left out. */
export function securityOf(access: RouteAccess): object {
  return { security: access.kind === 'open' ? [] : [{ bearer: [] }] };
}

/** For people: who may use it. */
export function accessWords(access: RouteAccess): string | undefined {
  switch (access.kind) {
    case 'open':
      return undefined;
    case 'member':
      return 'For every principal of the org.';
    case 'org':
      return `Takes \`${access.capability}\` in the org.`;
    case 'document':
    case 'folder':
      return `Takes \`${access.capability}\` on the ${access.kind}; one that may not be read answers as one that is not there.`;
    case 'handler':
      return `Takes ${access.capabilities.map((name) => `\`${name}\``).join(' and ')} on what it is about.`;
  }
}

/** What the gate may answer before the handler runs. */
export function gateProblems(access: RouteAccess): readonly ErrorCode[] {
  switch (access.kind) {
    case 'open':
      return [];
    case 'member':
      return [...ASKED];
    case 'org':
    case 'handler':
      return [...ASKED, 'forbidden'];
    case 'document':
      return [...ASKED, 'forbidden', 'document_not_found', 'document_disposed'];
    case 'folder':
      return [...ASKED, 'forbidden', 'folder_not_found'];
  }
}

const ASKED = [
  'unauthenticated',
  'rate_limited',
  'length_required',
  'identity_unavailable',
  'audit_unavailable',
  'database_unavailable',
] as const;
