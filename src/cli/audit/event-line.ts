import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';

/** One event for people: number, time, outcome, action, what it was about, who, with what, from where, and in which request. */
export function eventLine(item: unknown): string {
  const { leaf, event } = record(item);
  if (event === undefined) return `${leaf}  these bytes are no event`;
  const { time, outcome, action, resource, principal, credential, address, requestId, reason } = record(event);
  const { kind, id, version } = record(resource);
  const { kind: who, id: name } = record(principal);
  const about = `${kind} ${id}${version === undefined ? '' : ` version ${version}`}`;
  const what = outcome === 'allowed' ? String(action) : `${action} ${outcome} (${reason})`;
  const by = `${who} ${name}${credential === undefined ? '' : ` with ${withWhat(record(credential))}`}`;
  const from = address === undefined ? '' : ` from ${address}`;
  return printable(`${leaf}  ${time}  ${what.padEnd(ACTION_WIDTH)}  ${about}  by ${by}${from}  request ${requestId}`);
}

function withWhat({ kind, id }: Record<string, unknown>): string {
  return `${kind === 'token' ? 'token' : 'key'} ${id}`;
}

const ACTION_WIDTH = 18;
