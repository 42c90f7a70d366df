/** Why a text is not what it must be, as the end of a sentence about it. Returned, not thrown: the caller knows where the text stood. */
export class TextFault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
