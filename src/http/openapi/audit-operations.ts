import type { Operation } from './operation.ts';

const shared = ['bad_parameter', 'database_unavailable'] as const;

export const auditOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/audit/events',
    operationId: 'listAuditEvents',
    tag: 'Audit',
    summary: 'What happened, latest first.',
    description:
      'Events that have their number; those of the last second may be missing. Each is a leaf of a Merkle tree (RFC 9162): ' +
      '`hash` is SHA-256 of a zero byte and the canonical JSON (RFC 8785) of `event`.',
    parameters: ['aboutDocument', 'byPrincipal', 'ofAction', 'happenedFrom', 'happenedUntil', 'aboveLeaf', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'AuditEventPage' } },
    problems: shared,
  },
  {
    method: 'get',
    path: '/v1/audit/events/{leaf}',
    operationId: 'getAuditEvent',
    tag: 'Audit',
    summary: 'One event by its number.',
    parameters: ['leaf'],
    answers: { 200: { description: 'The event.', json: 'AuditEvent' } },
    problems: [...shared, 'audit_event_not_found'],
  },
  {
    method: 'get',
    path: '/v1/audit/decisions/{event}',
    operationId: 'explainAuditDecision',
    tag: 'Audit',
    summary: 'Why something was allowed or denied then.',
    description:
      'What the log says was decided, with which credential, by which role or rule, and that rule as it was: not what would be ' +
      'decided now, which `/access` of a document, a folder or the organisation tells.',
    parameters: ['event'],
    answers: { 200: { description: 'The event, the rules that decided, and the same in words.', json: 'DecisionExplanation' } },
    problems: [...shared, 'audit_event_not_found'],
  },
  {
    method: 'get',
    path: '/v1/audit/checkpoint',
    operationId: 'getAuditCheckpoint',
    tag: 'Audit',
    summary: 'The signed head of the log.',
    description: 'A signed note (C2SP tlog-checkpoint). Keep it elsewhere: it shows later whether what it covers was changed.',
    parameters: ['checkpointSize'],
    answers: { 200: { description: 'The note, with its newlines.', media: ['text/plain'] } },
    problems: [...shared, 'checkpoint_not_found'],
  },
  {
    method: 'get',
    path: '/v1/audit/key',
    operationId: 'getAuditKey',
    tag: 'Audit',
    summary: 'The public key of the log.',
    description: 'One line, as the Go module sumdb/note writes a verifier: name, key id and Ed25519 key.',
    answers: { 200: { description: 'The key.', media: ['text/plain'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/v1/audit/proofs/inclusion',
    operationId: 'proveAuditInclusion',
    tag: 'Audit',
    summary: 'Show that an event is in the log (RFC 9162 section 2.1.3).',
    parameters: ['provenLeaf', 'treeSize'],
    answers: { 200: { description: 'The hashes beside the way to the root.', json: 'InclusionProof' } },
    problems: [...shared, 'corrupt'],
  },
  {
    method: 'get',
    path: '/v1/audit/proofs/consistency',
    operationId: 'proveAuditConsistency',
    tag: 'Audit',
    summary: 'Show that the log only grew (RFC 9162 section 2.1.4).',
    parameters: ['firstSize', 'secondSize'],
    answers: { 200: { description: 'The hashes both roots are made of.', json: 'ConsistencyProof' } },
    problems: [...shared, 'corrupt'],
  },
  {
    method: 'get',
    path: '/v1/audit/export',
    operationId: 'exportAudit',
    tag: 'Audit',
    summary: 'The log up to its last signed head, to be verified off line.',
    parameters: ['withUnsigned'],
    description:
      'Lines of docs/format/audit-v1.md section 8, chunked. That the log was exported is stored before the first byte. An ' +
      'answer without its last chunk is not complete.',
    answers: { 200: { description: 'A header, every event and checkpoint.', media: ['application/x-ndjson'] } },
    problems: shared,
  },
];
