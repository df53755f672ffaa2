// Decides when rules are written: follows Services and EndpointSlices, writes what changed, repairs what somebody flushed.
// What the rules are is rules.ts' affair, how they get into the kernel iptables.ts'.

import { type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { InformerFactory } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { boundedRunner } from "./bounded-runner.js";
import { deleteFlows, staleFlows } from "./conntrack.js";
import type { Iptables } from "./iptables.js";
import { canary, canaryTables, type TableName } from "./jumps.js";
import type { ProxyMetrics } from "./proxy-metrics.js";
import { type Applied, chainsInSave, planJumps, planSync } from "./restore-input.js";
import type { RuleSettings } from "./rule-set.js";
import { buildRules } from "./rules.js";
import { type ServicePort, servicePorts } from "./service-ports.js";

export interface ProxierOptions {
  readonly informers: InformerFactory;
  readonly iptables: Iptables;
  readonly settings: RuleSettings;
  readonly nodeName: string;
  readonly minSyncPeriodMs: number;
  readonly syncPeriodMs: number;
  /** How often the canaries are looked at. */
  readonly canaryPeriodMs: number;
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Proxier {
  run(signal: AbortSignal): Promise<void>;
  /** Throws while no sync has succeeded, or when changes wait longer than twice the sync period. */
  check(): void;
}

const serviceIndex = "service";
const serviceNameLabel = "kubernetes.io/service-name";
const headlessLabel = "service.kubernetes.io/headless";

/** Follows the cluster until the signal aborts; the rules stay in the kernel, so that Services go on working. */
export function createProxier({
  informers,
  iptables,
  settings,
  nodeName,
  clock,
  logger,
  metrics,
  ...options
}: ProxierOptions): Proxier {
  const serviceInformer = informers.for(services, { labelSelector: `!service.kubernetes.io/service-proxy-name` });
  const sliceInformer = informers.for(endpointslices, { labelSelector: `!${headlessLabel}` });
  sliceInformer.addIndex(serviceIndex, (slice: EndpointSlice) => {
    const service = slice.metadata.labels?.[serviceNameLabel];
    return service ? [`${slice.metadata.namespace}/${service}`] : [];
  });

  /** What the kernel holds as far as we know; undefined: it must be read first. */
  let applied: Applied | undefined;
  let appliedPorts: ServicePort[] = [];
  let queuedSinceMs: number | undefined;
  let synced = false;
  // One service's ports are computed anew only when it or its slices changed.
  const portsOf = new Map<string, ServicePort[]>();
  const dirty = new Set<string>();

  function currentPorts(): ServicePort[] {
    for (const key of dirty) {
      const service = serviceInformer.get(key);
      const ports = service ? servicePorts(service as Service, sliceInformer.byIndex(serviceIndex, key), nodeName) : [];
      if (ports.length > 0) portsOf.set(key, ports);
      else portsOf.delete(key);
    }
    dirty.clear();
    return [...portsOf.keys()].sort().flatMap((key) => portsOf.get(key)!);
  }

  async function readKernel(): Promise<Applied> {
    const [mangle, nat, filter] = await Promise.all([
      iptables.save("mangle"),
      iptables.save("nat"),
      iptables.save("filter"),
    ]);
    const missing = planJumps(settings.prefix, { mangle, nat, filter });
    const found = { nat: chainsInSave(nat, settings.prefix), filter: chainsInSave(filter, settings.prefix) };
    if (missing) await iptables.restore(missing);
    return found;
  }

  async function sync(): Promise<void> {
    const startedMs = clock.now();
    try {
      const ports = currentPorts();
      applied ??= await readKernel();
      const plan = planSync(buildRules(ports, settings), applied);
      if (plan.input) await iptables.restore(plan.input);
      applied = plan.applied;
      await deleteFlows(staleFlows(appliedPorts, ports), logger);
      appliedPorts = ports;
      synced = true;
      queuedSinceMs = dirty.size > 0 ? clock.now() : undefined;
      metrics.synced({ durationMs: clock.now() - startedMs, services: portsOf.size, chains: plan.changedChains });
      logger.v(2).info("SyncProxyRules complete", { elapsedMs: clock.now() - startedMs, chains: plan.changedChains });
    } catch (error) {
      // What the kernel holds is no longer known for certain: read it again next time.
      applied = undefined;
      metrics.failed();
      logger.error("Failed to execute iptables-restore", { err: error });
      throw error;
    }
  }

  return {
    async run(signal) {
      const runner = boundedRunner({
        clock,
        minIntervalMs: options.minSyncPeriodMs,
        maxIntervalMs: options.syncPeriodMs,
        retryIntervalMs: options.syncPeriodMs,
        run: sync,
      });
      const changed = (key: string) => {
        dirty.add(key);
        queuedSinceMs ??= clock.now();
        if (serviceInformer.hasSynced() && sliceInformer.hasSynced()) runner.request();
      };
      const serviceChanged = (service: Service) => changed(`${service.metadata.namespace}/${service.metadata.name}`);
      const sliceChanged = (slice: EndpointSlice) => {
        const service = slice.metadata.labels?.[serviceNameLabel];
        if (service) changed(`${slice.metadata.namespace}/${service}`);
      };
      serviceInformer.addHandler({
        add: serviceChanged,
        update: (_, current) => serviceChanged(current),
        delete: serviceChanged,
      });
      sliceInformer.addHandler({
        add: sliceChanged,
        update: (previous, current) => {
          sliceChanged(previous);
          sliceChanged(current);
        },
        delete: sliceChanged,
      });
      await informers.waitForSync(signal);
      runner.request();
      await watchCanaries(signal, () => {
        applied = undefined;
        runner.request();
      });
      await runner.stop();
    },
    check() {
      if (!synced) throw new Error("rules have not been written yet");
      if (queuedSinceMs !== undefined && clock.now() - queuedSinceMs > 2 * options.syncPeriodMs)
        throw new Error(`changes wait since ${new Date(queuedSinceMs).toISOString()}`);
    },
  };

  async function watchCanaries(signal: AbortSignal, flushed: () => void): Promise<void> {
    const name = canary(settings.prefix);
    while (!signal.aborted) {
      await clock.sleep(options.canaryPeriodMs, signal).catch(() => {});
      if (signal.aborted || !synced) continue;
      try {
        const there = await Promise.all(canaryTables.map((table: TableName) => iptables.chainExists(table, name)));
        if (there.includes(false)) {
          logger.info("iptables canary deleted, resyncing all rules", {
            tables: canaryTables.filter((_, i) => !there[i]),
          });
          flushed();
        }
      } catch (error) {
        logger.warn("Could not look at the iptables canaries", { err: error });
      }
    }
  }
}
