/** What a page says of a run of which most was counted, and not told line by line. */
import type { CrowdFacts } from '../measure/crowd.ts';
import type { ClientTotals } from '../measure/lanes.ts';
import { count, whole } from './words.ts';

/** Totals of everybody, in place of those of the clients that have lines. */
export const crowdTotals = (crowd: CrowdFacts): ClientTotals => ({
  declared: crowd.clients,
  everConnected: crowd.upMost,
  connectedAtEnd: crowd.upAtEnd,
  losses: crowd.losses,
  refused: crowd.refused,
});

/** The claim of a run that passed. */
export const crowdHeadline = (crowd: CrowdFacts): string => {
  const { clients, sites, islands, losses, stopped, upAtEnd, backSeconds } = crowd;
  const who = `${count(clients, 'client')} behind ${count(sites, 'NAT')}, on ${count(islands, 'relay')}, lost their paths ${whole(losses)} times.`;
  if (upAtEnd + stopped < clients) return `${who} ${whole(clients - stopped - upAtEnd)} are away at the end.`;
  const back = backSeconds < 0 ? '' : `, the last within ${backSeconds} s of the relay's return`;
  return `${who} All came back${back}.`;
};

/** How it was run and judged, and what that leaves out. */
export const crowdNotes = (crowd: CrowdFacts, shownIsland: number): readonly string[] => {
  const { islands, clients, told, sites, wholeSites } = crowd;
  const notes = [
    `${whole(told)} of ${whole(clients)} clients have lines of their own: checks over lines (conversation, tunnels, bytes, backoff) are of those watched, the herd's share only where a world has 50 of them. That everybody came back is judged from exact totals by the second.`,
    `${whole(sites - wholeSites)} of ${whole(sites)} sites have a border instead of a NAT and a link as hosts: it gives ports and delays, loses and stalls bytes as they do; mappings that expire, reboots, new addresses and resets happen at the other ${whole(wholeSites)} sites only. Yamux sessions through a border do not ping.`,
    `Users visit the clients watched. Agents that measure run at such sites of the first island only. The relay’s own words (relay.*) are left out.`,
  ];
  if (islands > 1)
    notes.unshift(
      `${islands} islands, one world after the other with a relay, faults and dice of their own: no relay saw more than its share. Drawings and tables show island ${shownIsland}; verdicts are of all.`,
    );
  return notes;
};
