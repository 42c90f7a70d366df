import type { Closer } from '../../src/core/closer.ts';
import { HttpAsker } from '../harness/http-asker.ts';
import type { QuasarServer } from '../harness/quasar-server.ts';

/** Somebody who asks: a principal with a key. */
export interface Someone {
  readonly principalId: string;
  readonly authorization: string;
}

/** Sets up who may, through the contract, as the administrator of a server. */
export class AccessScene {
  readonly #asker: HttpAsker;

  constructor(server: QuasarServer, closer: Pick<Closer, 'push'>) {
    [this.#asker] = HttpAsker.open(server, 1, closer) as [HttpAsker];
  }

  async someone(name: string, roles: readonly string[]): Promise<Someone> {
    const { principalId } = await this.#make<{ principalId: string }>('/v1/principals', { kind: 'service', name, roles });
    const scope = ['doc.read', 'blob.read'];
    const { key } = await this.#make<{ key: string }>('/v1/keys', { principalId, name, scope });
    return { principalId, authorization: `Bearer ${key}` };
  }

  async group(name: string, members: readonly Someone[]): Promise<string> {
    const { groupId } = await this.#make<{ groupId: string }>('/v1/groups', { name });
    for (const { principalId } of members) {
      await this.#put(`/v1/groups/${groupId}/members/${principalId}`, { json: { kind: 'principal' } });
    }
    return groupId;
  }

  /** The outermost first. */
  async foldersWithin(depth: number): Promise<string[]> {
    const folders: string[] = [];
    for (let level = 0; level < depth; level += 1) {
      const parentId = folders.at(-1);
      const json = { name: `Level ${level}`, ...(parentId === undefined ? {} : { parentId }) };
      folders.push((await this.#make<{ folderId: string }>('/v1/folders', json)).folderId);
    }
    return folders;
  }

  /** The first rules of a folder: each of these may read what lies in it. */
  async allowReading(folderId: string, subjects: readonly string[]): Promise<void> {
    const rules = subjects.map((subject) => ({ effect: 'allow', actions: ['doc.read', 'blob.read'], principals: [subject] }));
    await this.#put(`/v1/folders/${folderId}/acl`, { json: { rules }, headers: { 'if-match': '"a-0"' } });
  }

  async #make<Made>(path: string, json: unknown): Promise<Made> {
    return JSON.parse((await this.#asker.expect(201, { method: 'POST', path, json })).text) as Made;
  }

  async #put(path: string, rest: { readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }): Promise<void> {
    const told = await this.#asker.ask({ method: 'PUT', path, ...rest });
    if (told.status > 299) throw new Error(`PUT ${path} was answered ${told.status}: ${told.text.slice(0, 300)}`);
  }
}
