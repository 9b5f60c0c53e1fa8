/** Which lab a run takes, and why, in one line. */

import { LABS, type Lab, LabError } from './lab.ts';
import { LocalGround } from './local/local-ground.ts';
import { whyNoKernel } from './netns/kernel-here.ts';
import { NetnsGround } from './netns/netns-ground.ts';
import { RealLab } from './real-lab.ts';
import { SimLab } from './sim/sim-lab.ts';

export const LAB_CHOICES = ['auto', ...LABS] as const;
export type LabChoice = (typeof LAB_CHOICES)[number];
export type Chosen = { readonly lab: Lab; readonly reason: string };

const LOCAL_FORMS = { nat: 'userspace', link: 'userspace' };
/** What links act on: `auto` is packets where the lab can. */
export const LINK_CHOICES = ['stream', 'packet', 'auto'] as const;
export type LinkChoice = (typeof LINK_CHOICES)[number];

/** Of labs whose kernel does the NAT. */
const KERNEL_FORMS = { nat: 'kernel (nftables)', link: 'userspace' };

/**
 * A Docker lab, or why there is none. Loaded when it is asked for: testcontainers takes a while to load, and does not load at
 * all before Node 22.
 */
const dockerLab = async (
  links: LinkChoice,
): Promise<{ readonly lab: Lab | undefined; readonly note: string }> => {
  let modules: [typeof import('./docker/docker-ground.ts'), typeof import('./docker/probe.ts')];
  try {
    modules = await Promise.all([import('./docker/docker-ground.ts'), import('./docker/probe.ts')]);
  } catch (error) {
    return { lab: undefined, note: `the Docker lab needs Node 22.15 or newer (${String(error)})` };
  }
  const [{ DockerGround }, { probeDocker }] = modules;
  const probe = await probeDocker();
  if (!probe.ok) return { lab: undefined, note: probe.reason };
  const { netem, note } = probe;
  const ground = new DockerGround(links === 'stream' ? {} : { packets: { netem } });
  return { lab: new RealLab('docker', KERNEL_FORMS, ground), note };
};

const localLab = (): Lab => new RealLab('local', LOCAL_FORMS, new LocalGround());

const netnsLab = (): Lab => {
  const why = whyNoKernel('relaylab-try');
  if (why !== undefined) throw new LabError(`no netns lab: ${why}`, 'use --lab docker, or --lab local');
  return new RealLab('netns', KERNEL_FORMS, new NetnsGround());
};

/** @throws LabError when a lab was asked for by name and cannot be had */
export const chooseLab = async (choice: LabChoice, links: LinkChoice = 'stream'): Promise<Chosen> => {
  if (links === 'packet' && choice !== 'docker' && choice !== 'auto')
    throw new LabError(`the ${choice} lab has no packets`, 'use --lab docker, or --links stream');
  if (choice === 'sim') return { lab: new SimLab(), reason: 'asked for' };
  if (choice === 'local') return { lab: localLab(), reason: 'asked for' };
  if (choice === 'netns') return { lab: netnsLab(), reason: 'asked for' };
  const docker = await dockerLab(links);
  if (docker.lab !== undefined)
    return { lab: docker.lab, reason: choice === 'docker' ? 'asked for' : docker.note };
  if (choice === 'docker' || links === 'packet')
    throw new LabError(
      `no docker lab: ${docker.note}`,
      `${links === 'packet' ? 'use --links stream' : 'use --lab local'}, or start an engine (ci/dockerd.sh)`,
    );
  return { lab: localLab(), reason: docker.note };
};
