import { QuasarError } from '../core/errors.ts';

/**
 * The query of a request that changes something: a name nobody knows is refused, not ignored, and so is one that is there twice unless
 * `several` has it. A record that was meant for a folder lies nowhere else because of a slip of the pen.
 * @throws QuasarError `bad_parameter`.
 */
export function strictQuery(query: string, known: readonly string[], several: readonly string[] = []): URLSearchParams {
  const values = new URLSearchParams(query);
  const seen = new Set<string>();
  for (const name of values.keys()) {
    if (!known.includes(name))
      throw fault(name.slice(0, 64), `is not known in the query of this route; known are ${known.join(', ')}`);
    if (seen.has(name) && !several.includes(name)) throw fault(name, 'is there twice');
    seen.add(name);
  }
  return values;
}

function fault(parameter: string, what: string): QuasarError {
  return new QuasarError('bad_parameter', { op: 'http.query', message: `"${parameter}" ${what}.`, details: { parameter } });
}
