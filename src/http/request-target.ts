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
  if (absolute === null) return split(target, undefined);
  const [, authority, rest] = absolute as unknown as [string, string, string];
  return split(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function split(target: string, authority: string | undefined): RequestTarget {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: '', authority };
  return { path: target.slice(0, mark), query: target.slice(mark + 1), authority };
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;
