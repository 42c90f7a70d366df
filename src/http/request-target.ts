export interface RequestTarget {
  /** Raw; `*` for the server as a whole. */
  readonly path: string;
  readonly query: string;
  /** Of an absolute target: it counts instead of Host (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined;
}

/** RFC 9112 section 3.2, in every form but that of tunnels. What no form allows is left to the guard, which refuses it. */
export function readTarget(target: string): RequestTarget {
  const absolute = target.startsWith('/') ? null : ABSOLUTE.exec(target);
  if (absolute === null) return { ...split(target), authority: undefined };
  const [, authority, rest] = absolute as unknown as [string, string, string];
  return { ...split(rest.startsWith('/') ? rest : `/${rest}`), authority };
}

function split(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;
