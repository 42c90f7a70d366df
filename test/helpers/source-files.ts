import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone this compiled file lies in: `dist/test/helpers/` is three folders deep. */
export const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Holds what bench/peers/install puts there. */
const foreign = join(repository, 'bench', 'peers', 'build', '/');

export interface SourceFile {
  /** Relative to the repository, with "/". */
  readonly path: string;
  readonly text: string;
  /** Without comments; lines stay where they are. */
  readonly code: string;
  /** Without comments and with empty strings. */
  readonly bare: string;
}

export interface Import {
  readonly from: string;
  readonly line: number;
}

/** Strings first, so that "//" inside one is no comment. */
const STRING_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

export function readSources(folder: string, ending = '.ts'): SourceFile[] {
  return listFiles(join(repository, folder))
    .filter((path) => path.endsWith(ending))
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      const code = text.replace(STRING_OR_COMMENT, (match) => (match.startsWith('/') ? keepLines(match) : match));
      const bare = code.replace(STRING_OR_COMMENT, (match) => (match.startsWith('`') ? match : "''"));
      return { path: relative(repository, path), text, code, bare };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Static and dynamic imports, re-exports, types included. */
export function importsOf(file: SourceFile): Import[] {
  const found = file.code.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\brequire\(\s*)'([^'\n]+)'/g);
  return [...found].map((match) => ({ from: match[1] as string, line: lineAt(file.code, match.index) }));
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(foreign));
}

function keepLines(comment: string): string {
  return comment.replace(/[^\n]/g, ' ');
}
