import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runChild, runForJson } from './children.ts';
import { repository } from './workspace.ts';

const FOLDER = join(repository, 'native-bench');

export type NativeProgram = 'crowd' | 'disk-write' | 'fetch-bytes' | 'receive-hash-write' | 'send-bytes';
const needed: readonly NativeProgram[] = ['crowd', 'disk-write', 'fetch-bytes', 'send-bytes'];

export interface TransferResult {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly mbPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Builds what is missing or old with make and cc. The ceiling that hashes needs a Debian package's sources; without them
 * the benches go on without that row.
 */
export async function buildNativePrograms(): Promise<{ readonly canHash: boolean }> {
  await runChild('make', ['-s', '-C', FOLDER, ...needed.map((name) => `build/${name}`)]);
  await runChild('make', ['-s', '-C', FOLDER, 'build/receive-hash-write']).catch(() => undefined);
  return { canHash: existsSync(nativePath('receive-hash-write')) };
}

export function nativePath(name: NativeProgram): string {
  return join(FOLDER, 'build', name);
}

export interface SendOptions {
  readonly port: number;
  readonly method?: 'POST' | 'PUT';
  readonly path: string;
  readonly size: number;
  readonly connections: number;
  readonly repeat: number;
}

/** Every request sends other bytes. */
export function sendBytes({ port, method = 'POST', path, size, connections, repeat }: SendOptions): Promise<TransferResult> {
  return runForJson(nativePath('send-bytes'), [port, method, path, size, connections, repeat].map(String));
}

export function fetchBytes(port: number, path: string, connections: number, repeat: number): Promise<TransferResult> {
  return runForJson(nativePath('fetch-bytes'), [port, path, connections, repeat].map(String));
}

export type FileState = 'fresh' | 'written';

export interface DiskWriteOptions {
  readonly file: string;
  readonly state: FileState;
  readonly size: number;
  /** Bytes between two fdatasyncs; the program's default is that of the segment writer. */
  readonly batch?: number;
}

export function diskWrite({
  file,
  state,
  size,
  batch,
}: DiskWriteOptions): Promise<{ readonly bytes: number; readonly seconds: number }> {
  return runForJson(nativePath('disk-write'), [file, state, String(size), ...(batch === undefined ? [] : [String(batch)])]);
}

export interface CrowdOptions {
  readonly port: number;
  readonly clients: number;
  /** Bytes a client moves. */
  readonly size: number;
  /** Bytes a second for each client; 0 for as fast as it goes. */
  readonly rate: number;
  /** Path to POST to. */
  readonly upload?: string;
  /** Paths to GET from, used in turn. */
  readonly download?: readonly string[];
}

export function runCrowd(
  options: CrowdOptions,
): Promise<{ readonly bytes: number; readonly seconds: number; readonly failures: number }> {
  const { port, clients, size, rate, upload, download = [] } = options;
  const shared = [clients, size, rate].map(String);
  if (upload !== undefined) return runForJson(nativePath('crowd'), [String(port), 'upload', ...shared, upload]);
  return runForJson(nativePath('crowd'), [String(port), 'download', ...shared], `${download.join('\n')}\n`);
}
