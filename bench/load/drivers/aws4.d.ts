/** The part of the library we use; it comes without types. */
declare module 'aws4' {
  interface Request {
    readonly service: string;
    readonly region: string;
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  }
  interface Credentials {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  }
  /** Returns the request with the headers that sign it. */
  function sign(request: Request, credentials: Credentials): { headers: Record<string, string> };
  export default { sign };
}
