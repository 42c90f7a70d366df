import type { Edge, EdgeOptions } from './edge.ts';
import { openNetEdge } from './net-edge.ts';
import { openNodeHttpEdge } from './node-http-edge.ts';

/** As the config names them. */
export type EdgeAdapter = 'net' | 'node';

/** @throws QuasarError `port_in_use` */
export function openEdge(adapter: EdgeAdapter, options: EdgeOptions): Promise<Edge> {
  return adapter === 'net' ? openNetEdge(options) : openNodeHttpEdge(options);
}
