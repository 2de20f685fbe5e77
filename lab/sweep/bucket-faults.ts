// What a storage refuses, or leaves without an answer, in words.

import { printable } from '../../engine/printable.js';
import { where } from './bucket-client.js';

/** What is wrong, what to do, and whom else it concerns. */
export interface Fault {
  readonly why: string;
  readonly cure: string;
  /** It may pass. */
  readonly retry: boolean;
  /** It is so for all files. */
  readonly forAll: boolean;
}

const WHOSE =
  "Credentials are taken as AWS's own tools take them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of the machine.";
const REFUSED = [
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
];

/** Null for what comes from no storage: a defect of this program. */
export function faultOf(error: unknown, bucket: string): Fault | null {
  const { name, message, code, $metadata } = error as Error & {
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  const kind = printable(name && !/^(Error|AggregateError)$/.test(name) ? name : String(code ?? status));
  const all = { retry: false, forAll: true };
  if (name === 'NoSuchBucket')
    return {
      why: `there is no bucket '${bucket}' at ${printable(where())}`,
      cure: 'Make it, or give another; AWS_ENDPOINT_URL says where buckets are.',
      ...all,
    };
  if (name === 'NoSuchKey' || name === 'NotFound')
    return {
      why: 'it is not there',
      cure: 'The sweep makes a shard again whose record in _shards is deleted.',
      retry: false,
      forAll: false,
    };
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return { why: 'there are no credentials', cure: WHOSE, ...all };
  if (REFUSED.includes(name)) return { why: `the credentials are refused (${kind})`, cure: WHOSE, ...all };
  if (status === 401 || status === 403)
    return {
      why: `access is denied (${kind})`,
      cure: `Who sweeps needs to list the bucket, and to get and put there. ${WHOSE}`,
      ...all,
    };
  const silent = status === 0 && (name === 'TimeoutError' || /^E[A-Z_]+$/.test(code ?? ''));
  if (silent || status >= 500 || status === 429) {
    const asked = $metadata?.attempts ?? 1;
    const often = asked > 1 ? `, asked ${asked} times` : '';
    return {
      why: `${printable(where())} does not answer (${kind}${status > 0 && kind !== String(status) ? `, ${status}` : ''}${often})`,
      cure: 'What stands stays, and the same command goes on when it answers. AWS_ENDPOINT_URL says where buckets are, LOUPE_STORAGE_TIMEOUT how many seconds it may take.',
      retry: true,
      forAll: true,
    };
  }
  if (status === 0) return null;
  const what =
    status < 300 ? 'answers as no storage of S3 does' : `refuses it (${kind}, ${status}): ${printable(message)}`;
  return {
    why: `${printable(where())} ${what.replace(/\.$/, '')}`,
    cure: 'AWS_ENDPOINT_URL says where buckets are.',
    ...all,
  };
}
