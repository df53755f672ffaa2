// Decides when the rules of one IP family are written: follows Services and EndpointSlices, writes what changed, repairs
// what somebody flushed. What the rules are is service-rules.ts' affair, how they get into the kernel iptables.ts'.

import { type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { Informer, InformerFactory } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { boundedRunner } from "./bounded-runner.js";
import { cleanStaleFlows } from "./conntrack.js";
import { type Iptables, restoreAll, saveAll } from "./iptables.js";
import { chainsInSave, planJumps, probes } from "./jumps.js";
import { type ChangeKind, createPendingChanges } from "./pending-changes.js";
import type { ProxyHealth } from "./proxy-health.js";
import type { ProxyMetrics } from "./proxy-metrics.js";
import { restoreInputs } from "./restore-input.js";
import { emptyRuleSet, type RuleSettings } from "./rule-set.js";
import { createRuleTable, rulesIn, type Write } from "./rule-table.js";
import { healthOf, mayHaveStaleFlows, noLocalEndpoints } from "./service-facts.js";
import type { ServiceHealthServers } from "./service-health.js";
import { createServicePortMap } from "./service-port-map.js";
import { servicePorts } from "./service-ports.js";
import { serviceRules } from "./service-rules.js";

export interface ProxierOptions {
  readonly informers: InformerFactory;
  readonly iptables: Iptables;
  /** Asked anew at each sync, for the node's addresses and labels change. */
  readonly settings: () => Omit<RuleSettings, "isLargeCluster">;
  readonly node: () => { readonly nodeName: string; readonly zone: string };
  readonly minSyncPeriodMs: number;
  /** How soon a failed write is tried again. */
  readonly syncPeriodMs: number;
  /** How often it is looked whether the rules are still there. */
  readonly probePeriodMs: number;
  /** Makes those of the kernel's counters that somebody took away: rules that name one would be refused. */
  readonly ensureCounters: () => Promise<unknown>;
  readonly health: ProxyHealth;
  readonly serviceHealth: ServiceHealthServers;
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Proxier {
  run(signal: AbortSignal): Promise<void>;
  /** All rules are made and written anew: something of the node changed. */
  resync(): void;
  /** Throws while no sync has succeeded. */
  check(): void;
}

/** Upstream's FullSyncPeriod. */
const fullSyncPeriodMs = 3_600_000;
/** Upstream's largeClusterEndpointsThreshold. */
const largeClusterEndpoints = 1_000;

const serviceIndex = "service";
const serviceNameLabel = "kubernetes.io/service-name";
const selector = "!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless";
const triggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

/** The informers that both families share. */
export function proxyInformers(informers: InformerFactory): {
  services: Informer<Service>;
  slices: Informer<EndpointSlice>;
} {
  return {
    services: informers.for(services, { labelSelector: selector }),
    slices: informers.for(endpointslices, { labelSelector: selector }),
  };
}

/** "default/web" for each Service that the slice belongs to. */
export function servicesOf(slice: EndpointSlice): string[] {
  const service = slice.metadata.labels?.[serviceNameLabel];
  return service ? [`${slice.metadata.namespace}/${service}`] : [];
}

/** Follows the cluster until the signal aborts; the rules stay in the kernel, so that Services go on working. */
export function createProxier({
  informers,
  iptables,
  clock,
  logger,
  metrics,
  health,
  ...options
}: ProxierOptions): Proxier {
  const { family } = iptables;
  const from = proxyInformers(informers);

  let isLargeCluster = false;
  const { prefix } = options.settings();
  const table = createRuleTable({ prefix, settings: () => ({ ...options.settings(), isLargeCluster }) });
  const ports = createServicePortMap();
  const pending = createPendingChanges();
  let needsFullSync = true;
  let lastFullSyncMs = Number.NEGATIVE_INFINITY;
  let hasSynced = false;
  let hasStaleFlows = false;
  const startedMs = clock.now();

  function refresh(keys: Iterable<string>): void {
    for (const key of keys) {
      const service = from.services.get(key);
      const slices = from.slices.byIndex(serviceIndex, key);
      const now = service ? servicePorts(service as Service, slices, { family, ...options.node() }) : [];
      hasStaleFlows ||= mayHaveStaleFlows(ports.get(key), now);
      ports.set(key, now);
    }
  }

  function makeRules(keys: Iterable<string>): void {
    const settings = { ...options.settings(), isLargeCluster };
    for (const key of keys) {
      const own = ports.get(key);
      const rules = emptyRuleSet();
      for (const port of own) serviceRules(port, settings, rules);
      table.set(key, own.length > 0 ? rules : undefined);
    }
  }

  async function writeOf(isFull: boolean): Promise<Write> {
    if (!isFull) return table.changes();
    await options.ensureCounters();
    const saves = await saveAll(iptables);
    const missing = planJumps(prefix, saves);
    if (missing) await iptables.restore(missing);
    return table.everything({ nat: chainsInSave(saves.nat), filter: chainsInSave(saves.filter) });
  }

  async function cleanFlows(): Promise<void> {
    const cleanStartedMs = clock.now();
    const deleted = await cleanStaleFlows(ports.all(), { family, logger });
    metrics.flowsCleaned(family, { deleted, durationMs: clock.now() - cleanStartedMs });
  }

  async function sync(): Promise<void> {
    const syncStartedMs = clock.now();
    const isFull = needsFullSync || (clock.now() - lastFullSyncMs > fullSyncPeriodMs && !isLargeCluster);
    // Asked for again while this one runs, it is another.
    needsFullSync = false;
    const taken = pending.take();
    const changed = taken.services;
    logger.v(2).info("Syncing iptables rules", { ipFamily: family, fullSync: isFull });
    try {
      const services = isFull ? new Set([...changed.keys(), ...ports.services()]) : new Set(changed.keys());
      refresh(services);
      isLargeCluster = ports.endpointCount() > largeClusterEndpoints;
      makeRules(services);
      const write = await writeOf(isFull);
      await restoreAll(iptables, restoreInputs(write, { inPieces: iptables.backend === "nf_tables" }));
      table.commit();
      if (isFull) lastFullSyncMs = clock.now();
      hasSynced = true;
      health.updated(family);
      if (pending.count("endpoint") + pending.count("service") > 0) health.queued(family);
      const now = clock.now();
      for (const times of changed.values())
        for (const time of times) if (time > startedMs) metrics.programmed(family, now - time);
      metrics.synced(family, {
        durationMs: now - syncStartedMs,
        isFull,
        rules: { filter: table.count("filter"), nat: table.count("nat") },
        written: { filter: rulesIn(write.filter), nat: rulesIn(write.nat) },
        noLocalEndpoints: noLocalEndpoints(ports.askingForLocal()),
      });
      tellPending();
      await options.serviceHealth.sync(healthOf(ports.askingForLocal()));
      if (hasStaleFlows) await cleanFlows();
      hasStaleFlows = false;
      logger.v(2).info("SyncProxyRules complete", { ipFamily: family, elapsedMs: clock.now() - syncStartedMs });
    } catch (error) {
      // What the kernel holds is no longer known for certain: read it again next time.
      needsFullSync = true;
      taken.putBack();
      metrics.failed(family, { isFull });
      logger.error("Failed to execute iptables-restore", { ipFamily: family, err: error });
      logger.info("Sync failed", { ipFamily: family, retryingTimeMs: options.syncPeriodMs });
      throw error;
    }
  }

  const runner = boundedRunner({
    clock,
    minIntervalMs: options.minSyncPeriodMs,
    maxIntervalMs: fullSyncPeriodMs,
    retryIntervalMs: options.syncPeriodMs,
    run: sync,
  });

  function request(): void {
    if (!from.services.hasSynced() || !from.slices.hasSynced()) return;
    health.queued(family);
    metrics.queued(family);
    runner.request();
  }

  function tellPending(): void {
    for (const kind of ["endpoint", "service"] as const) metrics.pending(family, kind, pending.count(kind));
  }

  function changed(key: string, kind: ChangeKind, triggeredMs?: number): void {
    pending.add(key, kind, triggeredMs);
    metrics.changed(family, kind);
    tellPending();
    request();
  }

  function follow(): void {
    const serviceChanged = ({ metadata }: Service) => changed(`${metadata.namespace}/${metadata.name}`, "service");
    from.services.addHandler({
      add: serviceChanged,
      update: (_, current) => serviceChanged(current),
      delete: serviceChanged,
    });
    const sliceChanged = (slice: EndpointSlice, triggeredMs?: number) => {
      if (slice.addressType === family) for (const key of servicesOf(slice)) changed(key, "endpoint", triggeredMs);
    };
    const triggerOf = ({ metadata }: EndpointSlice) => {
      const text = metadata.annotations?.[triggerAnnotation];
      return text === undefined ? undefined : Date.parse(text);
    };
    from.slices.addHandler({
      add: (slice) => sliceChanged(slice, triggerOf(slice)),
      update(previous, current) {
        // A slice may be given to another Service.
        if (servicesOf(previous)[0] !== servicesOf(current)[0]) sliceChanged(previous);
        sliceChanged(current, triggerOf(current));
      },
      delete: (slice) => sliceChanged(slice),
    });
  }

  async function watchRules(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Where no Service is there is nothing that somebody would miss.
      const periodMs = ports.isEmpty() ? options.syncPeriodMs : options.probePeriodMs;
      await clock.sleep(periodMs, signal).catch(() => {});
      if (signal.aborted || !hasSynced) continue;
      try {
        for (const probe of probes(prefix)) {
          if (await iptables.holds(probe)) continue;
          logger.info("iptables canary deleted, resyncing all rules", { ipFamily: family, ...probe });
          needsFullSync = true;
          request();
          break;
        }
      } catch (error) {
        logger.warn("Could not check for iptables canary", { ipFamily: family, err: error });
      }
    }
  }

  return {
    async run(signal) {
      follow();
      // Healthy while it starts: a sync that never succeeds is told by its changes waiting too long.
      health.updated(family);
      await informers.waitForSync(signal);
      request();
      await watchRules(signal);
      await runner.stop();
      await options.serviceHealth.close();
    },
    resync() {
      needsFullSync = true;
      if (hasSynced) request();
    },
    check() {
      if (!hasSynced) throw new Error(`${family} rules have not been written yet`);
    },
  };
}

/** Must be called once before the informers run. */
export function indexSlices(informers: InformerFactory): void {
  proxyInformers(informers).slices.addIndex(serviceIndex, servicesOf);
}
