// A peer in a process of its own, asked by lines of JSON: {"prefill": ids}, {"read": ids}, {"decode": n}, of which the n are forgotten again. Its first line says who it is; each answer is
// {"ms": [...]}.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Peer, PeerError } from './peer.js';
import { quoted } from '../../engine/tokenizer/quoted.js';

/**
 * @param who as messages name it
 * @param cure what to do where it does not start. Throws PeerError with it.
 */
export async function startPeer(who: string, command: string, args: readonly string[], cure: string): Promise<Peer> {
  const child = spawn(command, args);
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill); // a long answer would outlive an interrupted bench
  child.once('exit', () => process.off('exit', kill));
  const answers = lines(who, child, cure);
  try {
    const { peer, threads } = (await answers.next()) as { peer: string; threads: number };
    const ask = async (what: object) => {
      child.stdin.write(`${JSON.stringify(what)}\n`);
      return ((await answers.next()) as { ms: number[] }).ms;
    };
    return {
      name: `${peer}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      prefill: async ids => (await ask({ prefill: ids }))[0],
      read: async ids => void (await ask({ read: ids })),
      decode: tokens => ask({ decode: tokens }),
      close: () => void child.kill(),
    };
  } catch (error) {
    child.kill();
    throw error;
  }
}

/** The process's answers, one a line. Throws PeerError when it ends. */
function lines(who: string, child: ChildProcessWithoutNullStreams, cure: string) {
  const read = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let said = '';
  child.stderr.on('data', data => {
    said = `${said}${data}`.slice(-2000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.on('error', error => reject(new PeerError(`${who} could not be started: ${error.message}. ${cure}`)));
  });
  failed.catch(() => {}); // told by the next answer
  child.stdin.on('error', () => {}); // as is an end of the process
  return {
    async next(): Promise<unknown> {
      const { value, done } = await Promise.race([read.next(), failed]);
      if (!done) {
        try {
          const answer: unknown = JSON.parse(value);
          if (typeof answer === 'object' && answer !== null) return answer;
        } catch {} // the same complaint
        throw new PeerError(`${who} says ${quoted(value)}, which is no answer. ${cure}`);
      }
      const last = said.trim().split('\n').at(-1) ?? '';
      throw new PeerError(`${who} ended${last ? `: ${last}` : ' without a word'}. ${cure}`);
    },
  };
}
