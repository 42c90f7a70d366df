/** Names by which a program in JavaScript, ours or a reader's, reaches what all objects share. */
export function isForbiddenName(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype';
}
