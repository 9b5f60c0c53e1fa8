/** What `--lab auto` asks: can this machine really run the Docker lab? Answered by one connection through a kernel NAT. */
import { randomBytes } from 'node:crypto';
import { PRESETS } from '../../nat/presets.ts';
import { programFile } from '../program-file.ts';
import type { Topology } from '../topology.ts';
import { DockerGround } from './docker-ground.ts';
import { probeEngine } from './engine.ts';
import { Heard } from './event-wait.ts';

export type DockerProbe =
  /** `netem`: the kernel of the gateways has it, so that links can act on packets without userspace. */
  | { readonly ok: true; readonly note: string; readonly netem: boolean }
  | { readonly ok: false; readonly reason: string };

const SITE = 'probe';

const TOPOLOGY: Topology = {
  relay: { exec: undefined, limits: {}, defect: undefined },
  sites: [
    {
      name: SITE,
      nat: { name: 'home', value: PRESETS.home, note: '' },
      link: { name: 'clean', faults: [], note: '' },
      actors: [],
    },
  ],
  outside: [],
  keepaliveMillis: 0,
};

const connectThroughNat = async (ground: DockerGround): Promise<void> => {
  const relay = new Heard(ground.channel('relay'));
  const site = new Heard(ground.channel(SITE));
  const port = relay.port();
  ground
    .channel('relay')
    .send({ do: 'start', who: 'relay', actor: { kind: 'sink' }, bind: ground.bind('relay'), watch: false });
  const to = { host: ground.address('relay'), port: await port };
  const answer = site.output();
  ground
    .channel(SITE)
    .send({ do: 'start', who: SITE, actor: { kind: 'source', to }, bind: ground.bind(SITE), watch: false });
  const text = await answer;
  const expected = `seen as ${ground.publicAddress(SITE)} `;
  if (!text.startsWith(expected)) throw new Error(`expected "${expected}", got "${text}"`);
};

/**
 * Whether the engine answers, an image can be had, and a connection gets through a gateway's NAT with its address translated.
 * Takes a second or two, and once per machine as long as the image takes to build. Never throws; leaves nothing behind.
 */
export const probeDocker = async (
  progress: (text: string) => void = () => undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<DockerProbe> => {
  const engine = await probeEngine();
  if (!engine.ok) return engine;
  const ground = new DockerGround({
    runId: `probe-${randomBytes(4).toString('hex')}`,
    agent: programFile('./probe-agent', import.meta.url),
    workFolder: '/',
  });
  try {
    await ground.open(TOPOLOGY, { seed: 0, sink: () => undefined, signal, progress, keep: false });
    await connectThroughNat(ground);
    const netem = await ground.hasNetem();
    return { ok: true, netem, note: `Docker ${engine.version}, a connection got through a gateway's NAT` };
  } catch (error) {
    return { ok: false, reason: `the Docker lab does not work here: ${(error as Error).message}` };
  } finally {
    await ground.close();
  }
};
