/**
 * Why bytes are not what they should be. Scans meet such bytes all the time, so decoders return this instead of
 * throwing; `meaning` is a clause an operator can read ("the checksum does not match").
 */
export class Fault {
  readonly meaning: string;

  constructor(meaning: string) {
    this.meaning = meaning;
  }
}
