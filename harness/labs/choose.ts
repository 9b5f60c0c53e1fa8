/** Which lab a run takes, and why, in one line. */
import { DockerGround } from './docker/docker-ground.ts';
import { probeDocker } from './docker/probe.ts';
import { LABS, type Lab, LabError, type LabName } from './lab.ts';
import { LocalGround } from './local/local-ground.ts';
import { RealLab } from './real-lab.ts';
import { SimLab } from './sim/sim-lab.ts';

export const LAB_CHOICES = ['auto', ...LABS] as const;
export type LabChoice = (typeof LAB_CHOICES)[number];
export type Chosen = { readonly lab: Lab; readonly reason: string };

const LOCAL_FORMS = { nat: 'userspace', link: 'userspace' };
const DOCKER_FORMS = { nat: 'kernel (nftables)', link: 'userspace' };

const make = (name: LabName): Lab => {
  switch (name) {
    case 'sim':
      return new SimLab();
    case 'local':
      return new RealLab('local', LOCAL_FORMS, new LocalGround());
    case 'docker':
      return new RealLab('docker', DOCKER_FORMS, new DockerGround());
  }
};

/** @throws LabError when a lab was asked for by name and cannot be had */
export const chooseLab = async (choice: LabChoice): Promise<Chosen> => {
  if (choice === 'sim' || choice === 'local') return { lab: make(choice), reason: 'asked for' };
  const docker = await probeDocker();
  if (docker.ok) return { lab: make('docker'), reason: choice === 'docker' ? 'asked for' : docker.note };
  if (choice === 'docker')
    throw new LabError(
      `no docker lab: ${docker.reason}`,
      'use --lab local, or start an engine (ci/dockerd.sh)',
    );
  return { lab: make('local'), reason: docker.reason };
};
