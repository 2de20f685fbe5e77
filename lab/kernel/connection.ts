// The connection file that Jupyter writes for a kernel: ports and the key that messages are signed with.

import { LoupeError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import { parseJson } from '../../engine/json.js';

export interface Connection {
  readonly transport: string;
  readonly ip: string;
  readonly key: string;
  readonly iopub_port: number;
  readonly shell_port: number;
  readonly control_port: number;
  readonly stdin_port: number;
  readonly hb_port: number;
}

export class ConnectionError extends LoupeError {}

const PORTS = ['iopub_port', 'shell_port', 'control_port', 'stdin_port', 'hb_port'] as const;
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Throws ConnectionError for a file that is missing or malformed, has no key, or asks for sockets that other machines can reach: a
 * kernel runs whatever it is sent.
 */
export function readConnection(path: string | undefined): Connection {
  if (!path) {
    throw new ConnectionError('No connection file was given. Jupyter starts this kernel; try `loupe lab`.');
  }
  const text = readText(path, 1 << 16, what => {
    return new ConnectionError(
      `The connection file ${path} cannot be read: ${what}. Jupyter writes it; try \`loupe lab\`.`,
    );
  });
  let found: Partial<Connection> | null = null;
  try {
    found = parseJson(text) as Partial<Connection> | null;
  } catch {} // the same complaint below
  const whole = PORTS.every(port => {
    const number = found?.[port];
    return Number.isInteger(number) && number! > 0 && number! < 65_536;
  });
  if (!found || !whole) {
    throw new ConnectionError(`The connection file ${path} is no JSON object with five ports. Let Jupyter write it.`);
  }
  const {
    transport = 'tcp',
    ip = '127.0.0.1',
    key = '',
    signature_scheme = 'hmac-sha256',
  } = found as Connection & {
    signature_scheme?: string;
  };
  const odd = Object.entries({ transport, ip, key, signature_scheme }).find(([, value]) => typeof value !== 'string');
  if (odd)
    throw new ConnectionError(`The connection file ${path} has a ${odd[0]} that is no text. Let Jupyter write it.`);
  if (key === '' || signature_scheme !== 'hmac-sha256') {
    throw new ConnectionError(
      `The connection file ${path} asks for messages ${key === '' ? 'without a key' : `signed with ${signature_scheme}`}; this kernel takes hmac-sha256 alone, because it runs whatever it is sent.`,
    );
  }
  if (transport !== 'tcp' || !LOOPBACK.test(ip)) {
    throw new ConnectionError(
      `The connection file ${path} asks for ${transport}://${ip}, and this kernel listens on this machine's loopback alone. To work from another machine, run Jupyter here and tunnel to it.`,
    );
  }
  return { ...(found as Connection), transport, ip, key };
}
