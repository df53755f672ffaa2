// Renews one Lease for as long as a process lives: a node's heartbeat. Upstream's component-helpers lease controller.

import { type Lease, leases } from "@picokube/api/coordination/v1";
import { isNotFound } from "@picokube/api/errors";
import type { OwnerReference } from "@picokube/api/meta/v1";
import { formatMicroTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Client } from "./client.js";

export interface LeaseRenewalOptions {
  readonly client: Client;
  /** The node's name: also the Lease's. */
  readonly holder: string;
  /** "kube-node-lease" when left out. */
  readonly namespace?: string;
  /** 40 when left out. */
  readonly leaseDurationSeconds?: number;
  /** A quarter of the duration when left out. */
  readonly renewIntervalMs?: number;
  /** Asked for whenever the Lease is made; undefined while the node does not exist. */
  readonly owner?: () => OwnerReference | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts. */
export async function runLeaseRenewal({
  client,
  holder,
  namespace = "kube-node-lease",
  leaseDurationSeconds = 40,
  renewIntervalMs = leaseDurationSeconds * 250,
  owner,
  clock,
  logger,
  signal,
}: LeaseRenewalOptions): Promise<void> {
  let known: Lease | undefined;
  const name = { name: holder, namespace };
  const renewed = (lease: Lease): Lease => ({
    ...lease,
    spec: { ...lease.spec, holderIdentity: holder, leaseDurationSeconds, renewTime: formatMicroTime(clock.now()) },
  });
  async function renew(): Promise<Lease> {
    const current =
      known ??
      (await client.get(leases, name, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }));
    if (current) return client.update(leases, renewed(current), { signal });
    const reference = owner?.();
    const metadata = { ...name, ...(reference ? { ownerReferences: [reference] } : {}) };
    const spec = { holderIdentity: holder, leaseDurationSeconds, renewTime: formatMicroTime(clock.now()) };
    return client.create(leases, { metadata, spec }, { signal });
  }
  let failures = 0;
  while (!signal.aborted) {
    try {
      known = await renew();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      known = undefined;
      failures += 1;
      logger.v(failures > 1 ? 0 : 2).info("Failed to renew lease", { lease: `${namespace}/${holder}`, err: error });
    }
    // After a failure sooner: the grace of a node that lives must not run out.
    const waitMs = failures === 0 ? renewIntervalMs : Math.min(renewIntervalMs, 200 * 2 ** Math.min(failures, 6));
    await clock.sleep(waitMs, signal).catch(() => {});
  }
}
