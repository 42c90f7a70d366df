import { isQuasarError } from '../core/errors.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { openNodeHttpEdge } from './node-http-edge.ts';
import { openUwsEdge } from './uws-edge.ts';

export interface OpenEdgeOptions extends EdgeOptions {
  /** Which server to try; uWebSockets.js when absent. */
  readonly prefer?: 'uwebsockets' | 'node:http';
}

export interface OpenedEdge {
  readonly edge: Edge;
  /** Why the fallback serves, for the log; undefined when the preferred server does. */
  readonly fallbackReason: string | undefined;
}

/**
 * Opens the server this machine can load. `openPreferred` stands for the loader of uWebSockets.js.
 * @throws QuasarError `port_in_use`; a second server would meet the same.
 */
export async function openEdge(options: OpenEdgeOptions, openPreferred = openUwsEdge): Promise<OpenedEdge> {
  if (options.prefer === 'node:http') return { edge: await openNodeHttpEdge(options), fallbackReason: undefined };
  try {
    return { edge: await openPreferred(options), fallbackReason: undefined };
  } catch (error) {
    if (isQuasarError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { edge: await openNodeHttpEdge(options), fallbackReason: lastLine(reason) };
  }
}

/** The library's message is a paragraph about platforms; the loader's own words end it. */
function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? text;
}
