import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';

/** One event for people: number, time, outcome, action, what it was about, who, and in which request. */
export function eventLine(item: unknown): string {
  const { leaf, event } = record(item);
  if (event === undefined) return `${leaf}  these bytes are no event`;
  const { time, outcome, action, resource, principal, requestId, reason } = record(event);
  const { kind, id, version } = record(resource);
  const { kind: who, id: name } = record(principal);
  const about = `${kind} ${id}${version === undefined ? '' : ` version ${version}`}`;
  const what = outcome === 'allowed' ? String(action) : `${action} denied (${reason})`;
  return printable(`${leaf}  ${time}  ${what.padEnd(ACTION_WIDTH)}  ${about}  by ${who} ${name}  request ${requestId}`);
}

const ACTION_WIDTH = 18;
