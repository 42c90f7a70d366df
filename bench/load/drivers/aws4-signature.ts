import aws4 from 'aws4';
import type { DriverRequest } from './driver.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
}

/** The headers of a request with those of Signature Version 4; the body is not signed, so that it need not be hashed. */
export function signedHeaders(request: DriverRequest, host: string, credentials: S3Credentials): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken, region } = credentials;
  const { headers } = aws4.sign(
    {
      service: 's3',
      region,
      method: request.method,
      path: request.path,
      headers: { ...request.headers, Host: host, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
    },
    { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  );
  const { Host: _, ...others } = headers;
  return others;
}

/** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION; undefined without the first two. */
export function readS3Credentials(variables: NodeJS.ProcessEnv): S3Credentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION } = variables;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN || undefined,
    region: AWS_REGION || 'us-east-1',
  };
}
