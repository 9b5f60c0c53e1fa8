/** The words between a lab and its userspace NATs. */
import type { NatCommand, NatReport } from '../nat/nat-report.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';

/** The next public address of a gateway: one network further. Names (the simulator's) get a stroke. */
const nextAddress = (host: string): string => {
  const octets = /^(\d+)\.(\d+)\.(\d+\.\d+)$/.exec(host);
  return octets === null ? `${host}'` : `${octets[1]}.${(Number(octets[2]) + 1) % 256}.${octets[3]}`;
};

/**
 * Translates what one gateway is told; undefined: not for a NAT. Knows the address it has now, so that it never "changes" to
 * the one it has. `publicHost` undefined: it dials from wherever the system lets it.
 */
export const natCommands = (
  publicHost: string | undefined,
): ((command: ActorCommand) => NatCommand | undefined) => {
  let address = publicHost;
  return (command) => {
    if (command.do !== 'nat') return undefined;
    const { event, fault: id } = command;
    switch (event.kind) {
      case 'reboot':
        return { do: 'reboot', id, downMillis: event.downMillis };
      case 'expire':
        return { do: 'expire', id, idleMillis: 0 };
      case 'readdress':
        address = address === undefined ? undefined : nextAddress(address);
        return { do: 'readdress', id, publicHost: address };
      case 'flap':
        return { do: 'flap', id, millis: event.millis };
    }
  };
};

/** What one gateway reports, in the trace's words. `who`: its host path, the site before the stroke. */
export const natHappenings = (report: NatReport, who: string): readonly Happening[] => {
  switch (report.type) {
    case 'nat.ready':
      return [{ type: 'host.ready', port: report.port }];
    case 'nat.failed':
      return [{ type: 'host.crashed', reason: `cannot listen: ${report.why}` }];
    case 'nat.stopped':
      return [{ type: 'host.stopped', code: 0 }];
    case 'nat.receipt': {
      const { id: fault, effects, text } = report;
      const about = { fault, kind: `nat ${report.kind}`, site: who.slice(0, who.indexOf('/')) };
      return [
        { type: 'fault.receipt', ...about, effects, text },
        { type: 'fault.ended', ...about },
      ];
    }
    default:
      return [report];
  }
};
