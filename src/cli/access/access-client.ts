import { isQuasarError } from '../../core/errors.ts';
import { type OrgId, type PrincipalId, parseId } from '../../core/ids.ts';
import { Attempts } from '../attempts.ts';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import type { ClientRequest, HttpClient } from '../http-client.ts';
import { explainLostAnswer } from '../lost-answer.ts';
import { record } from '../upload-client.ts';
import { explainRefusal } from './refusal.ts';

export type Answered = Readonly<Record<string, unknown>>;

/** The principal whose key is shown. */
export interface Self {
  readonly principalId: PrincipalId;
  readonly orgId: OrgId;
}

/** Requests about who may what, each with the right patience for what happens when it is made twice. */
export class AccessClient {
  readonly #http: HttpClient;
  readonly #attempts: Attempts;
  #self: Self | undefined;

  constructor(http: HttpClient, attempts: Attempts) {
    this.#http = http;
    this.#attempts = attempts;
  }

  read(path: string): Promise<Answered> {
    return this.repeat({ method: 'GET', path });
  }

  /** For what may be said twice: it leaves things as the first time did. */
  repeat(request: ClientRequest): Promise<Answered> {
    return this.#attempts.run(() => this.#send(request));
  }

  /**
   * For what would be made twice. Repeated only while the server is too busy to begin; when the answer is lost, the error
   * names the command `look`, which shows whether it was made.
   */
  async once(request: ClientRequest, look: string): Promise<Answered> {
    for (;;) {
      try {
        return await this.#send(request);
      } catch (error) {
        if (!isQuasarError(error) || error.kind !== 'busy') throw explainLostAnswer(error, look);
        await this.#attempts.afterFailure(error);
      }
    }
  }

  /** Asked for once. */
  async self(): Promise<Self> {
    if (this.#self !== undefined) return this.#self;
    const { principalId, orgId } = await this.read('/v1/principals/me');
    this.#self = {
      principalId: parseId<PrincipalId>(String(principalId), 'principalId'),
      orgId: parseId<OrgId>(String(orgId), 'orgId'),
    };
    return this.#self;
  }

  async #send(request: ClientRequest): Promise<Answered> {
    try {
      return record((await this.#http.json(request)).value);
    } catch (error) {
      throw explainRefusal(error);
    }
  }
}

/** As `withClient`. */
export function withAccess<T>(context: CommandContext, work: (client: AccessClient) => Promise<T>): Promise<T> {
  return withClient(context, (http) => work(new AccessClient(http, new Attempts(context))));
}
