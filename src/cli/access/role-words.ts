/** Roles in one word, never empty: a column stays a column. */
export function roleWords(roles: unknown): string {
  return Array.isArray(roles) && roles.length > 0 ? roles.join(',') : 'none';
}
