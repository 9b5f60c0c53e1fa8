export type Traffic = {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly drops: number;
};
export type InterfaceTraffic = { readonly rx: Traffic; readonly tx: Traffic };

export const NO_TRAFFIC: Traffic = { bytes: 0, packets: 0, errors: 0, drops: 0 };

const trafficOf = (fields: readonly number[]): Traffic => {
  const [bytes = 0, packets = 0, errors = 0, drops = 0] = fields;
  return { bytes, packets, errors, drops };
};

/** `/proc/net/dev` by interface: eight counters received, eight sent; proc_net_dev(5). */
export const parseNetDev = (text: string): ReadonlyMap<string, InterfaceTraffic> => {
  const interfaces = new Map<string, InterfaceTraffic>();
  for (const line of text.split('\n')) {
    // an alias (eth0:1) has a colon too: the last one ends the name
    const [, name, counters] = /^\s*(\S+):\s*((?:\d+\s*){16})$/.exec(line) ?? [];
    if (name === undefined || counters === undefined) continue;
    const fields = counters.trim().split(/\s+/).map(Number);
    interfaces.set(name, { rx: trafficOf(fields), tx: trafficOf(fields.slice(8)) });
  }
  return interfaces;
};
