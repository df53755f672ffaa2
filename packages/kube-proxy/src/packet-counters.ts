// Counters of the kernel's accounting (nfacct) that some of our rules feed, and the metrics made of them. Mirrors upstream's
// pkg/proxy/util/nfacct and its metrics. Writes no rule: rules name a counter only where it is there.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import { counterName, invalidDropped, localhostNodePortsAccepted } from "./rule-set.js";

const run = promisify(execFile);

const described = [
  {
    counter: invalidDropped,
    name: "kubeproxy_iptables_ct_state_invalid_dropped_packets_total",
    help: "packets dropped by iptables to work around conntrack problems",
  },
  {
    counter: localhostNodePortsAccepted,
    name: "kubeproxy_iptables_localhost_nodeports_accepted_packets_total",
    help: "Number of packets accepted on nodeports of loopback interface",
  },
];

/** Reads what `nfacct list` prints: a line a counter. */
export function parseCounters(text: string): Map<string, number> {
  const pattern = /pkts = (\d+), bytes = \d+.*\} = (\S+);/g;
  return new Map([...text.matchAll(pattern)].map(([, packets, name]) => [name!, Number(packets)]));
}

async function readCounters(): Promise<Map<string, number>> {
  return parseCounters((await run("nfacct", ["list"])).stdout);
}

/** Makes those that are missing; all that are there then, by upstream's names. Without the command, or the kernel's part of
 *  it, none: rules and metrics do without, as upstream's do. */
export async function ensureCounters(prefix: string, { logger }: { logger: Logger }): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  try {
    const found = await readCounters();
    for (const { counter } of described) {
      const name = counterName(prefix, counter);
      if (!found.has(name)) await run("nfacct", ["add", name]);
      there.add(counter);
    }
  } catch (error) {
    logger.info("Failed to create nfacct runner, nfacct based metrics won't be available", { err: error });
  }
  return there;
}

/** Removes ours; one that another proxy's rules still feed stays. */
export async function deleteCounters(prefix: string): Promise<void> {
  for (const { counter } of described) await run("nfacct", ["delete", counterName(prefix, counter)]).catch(() => {});
}

/** A metric for each of the counters, read whenever somebody asks for the metrics. */
export function registerCounters(
  metrics: Metrics,
  counters: ReadonlySet<string>,
  { prefix, logger }: { prefix: string; logger: Logger },
): void {
  for (const { counter, name, help } of described)
    if (counters.has(counter))
      metrics.counter({
        name,
        help,
        async collect(own) {
          try {
            const packets = (await readCounters()).get(counterName(prefix, counter));
            own.reset();
            if (packets !== undefined) own.inc(packets);
          } catch (error) {
            logger.warn("failed to collect nfacct counter", { counter, err: error });
          }
        },
      });
}
