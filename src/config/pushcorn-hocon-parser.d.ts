/** The part of the library we use; it comes without types. */
declare module '@pushcorn/hocon-parser' {
  function parse(options: {
    readonly text: string;
    /** The HOCON specification only: no transforms, no shorthands. */
    readonly strict: boolean;
    /** False keeps the library away from `process.env`. */
    readonly env: boolean;
    /** What `${NAME}` may refer to besides keys of the text. */
    readonly scope: Readonly<Record<string, string>>;
  }): Promise<unknown>;
  export default { parse };
}

declare module '@pushcorn/hocon-parser/lib/core/Tokenizer.js' {
  export class Tokenizer {
    tokenize(text: string, strict: boolean): HoconToken[];
  }
  export interface HoconToken {
    readonly type: symbol;
    readonly value: string;
    readonly line: number;
    readonly quoted: boolean;
  }
}
