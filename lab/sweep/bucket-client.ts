// How a bucket is asked. AWS's own library signs and finds credentials: the environment, a profile, the machine's or the pod's role. It is read when the first bucket is, so that nobody else waits for it.

import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { OptionError } from '../../engine/errors.js';
import { printable } from '../../engine/printable.js';

export interface Connection {
  readonly s3: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
}

/** How often it is asked in all, where it was never heard of: what is wrong is more likely its address. */
const ATTEMPTS = 3;
/** What SDKs of AWS take where nothing is said; a bucket that is elsewhere says so, and is asked there. */
const REGION = 'us-east-1';
/** Seconds without an answer, and for which one that is busy is asked again. */
const PATIENCE = 60;

/** Where buckets are, if not at AWS. Throws OptionError for what is no address. */
export function endpoint(): string | undefined {
  const given = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL;
  if (!given) return undefined;
  if (/^https?:/.test(given) && URL.canParse(given)) return given;
  throw new OptionError(
    `AWS_ENDPOINT_URL is '${printable(given)}', and it is where buckets are, http://HOST:PORT or https://HOST.`,
  );
}

/** As a person is told of it: without a password that an address may have. */
export const where = (): string => {
  const given = endpoint();
  return given === undefined ? 'AWS' : new URL(given).host;
};

/** Seconds. */
export function patience(): number {
  const given = process.env.LOUPE_STORAGE_TIMEOUT;
  if (!given) return PATIENCE;
  const seconds = Number(given);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new OptionError(
    `LOUPE_STORAGE_TIMEOUT is '${printable(given)}', and it is seconds that a storage may take to answer, up to 86400.`,
  );
}

/** Throws OptionError for what is said wrongly in the environment. */
export async function connect(): Promise<Connection> {
  const milliseconds = patience() * 1000;
  const elsewhere = endpoint() !== undefined;
  // Which version runs here is this package's matter, and Node 20 has what it needs.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const s3 = await import('@aws-sdk/client-s3');
  const config: S3ClientConfig = {
    retryStrategy: askAgain(milliseconds),
    followRegionRedirects: true,
    // Few who speak S3 have a host a bucket, and some do not know AWS's newer sums; what was written is held against its SHA-256 by `verify`.
    ...(elsewhere && { forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' as const }),
    // Of silence, and not of the whole request: a slow line is none.
    requestHandler: { connectionTimeout: Math.min(10_000, milliseconds), socketTimeout: milliseconds },
  };
  const client = new s3.S3Client(config);
  try {
    await client.config.region();
    return { s3, client };
  } catch {
    return { s3, client: new s3.S3Client({ ...config, region: process.env.AWS_DEFAULT_REGION || REGION }) };
  }
}

/** What was answered once is asked again for as long as it may take to answer, a storage that says it is busy or begins anew included; what was silent for so long, once more. */
function askAgain(milliseconds: number): S3ClientConfig['retryStrategy'] {
  let known = false;
  const began = new WeakMap<object, number>();
  const token = (count: number, since: number) => {
    const delay = Math.min(5000, 100 * 2 ** count) * (0.5 + Math.random() / 2);
    const made = { getRetryCount: () => count, getRetryDelay: () => delay };
    began.set(made, since);
    return made;
  };
  return {
    acquireInitialRetryToken: async () => token(0, Date.now()),
    refreshRetryTokenForRetry: async (before, { errorType, error }) => {
      const since = began.get(before) ?? Date.now();
      const asked = before.getRetryCount() + 1;
      const { httpStatusCode = 0 } =
        (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata ?? {};
      const answers = known || httpStatusCode > 0;
      const again = answers ? Date.now() - since < milliseconds || asked < 2 : asked < ATTEMPTS;
      if (errorType === 'CLIENT_ERROR' || !again) throw new Error('It was asked often enough.');
      return token(asked, since);
    },
    recordSuccess: () => {
      known = true;
    },
  };
}
