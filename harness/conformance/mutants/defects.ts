/** One-line defects of a relay, switched on to prove that checks bite. `--defect NAME` in the simulator, `relay.ts` elsewhere. */
import { type RelayConfig, RelayMachine } from '../../../reference-impl/port-relay/relay/relay-machine.ts';
import { CONVERSATION_DEFECTS } from './conversation-defects.ts';
import type { Defect, Relay } from './defect.ts';
import { MATCHING_DEFECTS } from './matching-defects.ts';
import { TUNNEL_DEFECTS } from './tunnel-defects.ts';

/** By the name that `--defect` takes. */
export const DEFECTS: Readonly<Record<string, Defect>> = {
  ...CONVERSATION_DEFECTS,
  ...MATCHING_DEFECTS,
  ...TUNNEL_DEFECTS,
};

/** A relay with one defect. @throws Error for an unknown name, and in the simulator for a defect that ends its process */
export const defectiveRelay = (name: string, config: RelayConfig, lab: 'sim' | 'real'): Relay => {
  const defect = DEFECTS[name];
  if (defect === undefined)
    throw new Error(`no defect is called ${name}; there are ${Object.keys(DEFECTS).join(', ')}`);
  if (lab === 'sim' && defect.labs === 'real')
    throw new Error(`${name} ends the process of its relay: give --relay-exec to a real lab instead`);
  const relay = new RelayMachine(defect.config?.(config) ?? config);
  return defect.wrap?.(relay) ?? relay;
};
