// Leader election on a Lease: one process of several works, the others wait. Upstream's leaderelection and its timings.

import { setMaxListeners } from "node:events";
import { type Lease, type LeaseSpec, leases } from "@picokube/api/coordination/v1";
import { isAlreadyExists, isConflict, isNotFound } from "@picokube/api/errors";
import { formatMicroTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import type { Client } from "./client.js";
import type { EventRecorder } from "./event-recorder.js";

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Who we are: host name and a uuid. */
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The work; its signal aborts when the process stops or the lease is lost. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly recorder?: EventRecorder;
  readonly metrics?: Metrics;
  /** 15 s: how long others wait after the last renewal that they saw. */
  readonly leaseDurationMs?: number;
  /** 10 s: how long the leader tries to renew before it gives up. */
  readonly renewDeadlineMs?: number;
  /** 2 s */
  readonly retryPeriodMs?: number;
}

/** The lease went to another or could not be renewed: the process must end, for it may not work on. */
export class LeaseLostError extends Error {
  constructor() {
    super("leaderelection lost");
    this.name = "LeaseLostError";
  }
}

/** Waits for the lease, works, and gives the lease back; throws a LeaseLostError when it was taken from us. */
export async function runWithLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { clock, logger, signal, identity, renewDeadlineMs = 10_000, retryPeriodMs = 2000 } = options;
  const name = `${options.lease.namespace}/${options.lease.name}`;
  const elector = new Elector(options);
  const leads = masterStatus(options);
  leads(0);
  logger.info("Attempting to acquire leader lease...", { lease: name });
  while (!(await elector.tryAcquireOrRenew(signal))) {
    const jitteredMs = retryPeriodMs * (1 + 1.2 * Math.random());
    await clock.sleep(jitteredMs, signal).catch(() => {});
    if (signal.aborted) return;
  }
  logger.info("Successfully acquired lease", { lease: name });
  elector.announce(`${identity} became leader`);
  leads(1);

  const leading = new AbortController();
  setMaxListeners(0, leading.signal);
  let lost = false;
  const renewals = (async () => {
    let renewedMs = clock.now();
    while (!leading.signal.aborted) {
      await clock.sleep(retryPeriodMs, leading.signal).catch(() => {});
      if (leading.signal.aborted) return;
      if (await elector.tryAcquireOrRenew(leading.signal)) renewedMs = clock.now();
      else if (leading.signal.aborted) return;
      else if (clock.now() - renewedMs >= renewDeadlineMs || elector.heldByOther()) {
        lost = true;
        elector.announce(`${identity} stopped leading`);
        leading.abort(new LeaseLostError());
      }
    }
  })();
  const stop = () => leading.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    await options.run(leading.signal);
  } finally {
    signal.removeEventListener("abort", stop);
    leading.abort();
    leads(0);
    await renewals;
    if (!lost) await elector.release();
  }
  if (lost) throw new LeaseLostError();
}

function masterStatus({ metrics, lease: { name } }: LeaderElectionOptions): (value: 0 | 1) => void {
  const gauge = metrics?.gauge({
    name: "leader_election_master_status",
    help: "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
    labels: ["name"],
  });
  return (value) => gauge?.set({ name }, value);
}

class Elector {
  readonly #options: LeaderElectionOptions;
  readonly #leaseDurationMs: number;
  #observed: Lease | undefined;
  #observedMs = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
  }

  heldByOther(): boolean {
    const holder = this.#observed?.spec?.holderIdentity;
    return Boolean(holder) && holder !== this.#options.identity;
  }

  announce(message: string): void {
    if (this.#observed)
      this.#options.recorder?.record(this.#observed, { type: "Normal", reason: "LeaderElection", message });
  }

  /** A server that is away must not hold up a process that is told to end: the signal breaks a request off. */
  async tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, lease, identity, clock, logger } = this.#options;
    try {
      const current = await client.get(leases, lease, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (!current) {
        const made = { metadata: { ...lease }, spec: this.#claim(undefined) };
        this.#observe(await client.create(leases, made, { signal }));
        return true;
      }
      if (current.metadata.resourceVersion !== this.#observed?.metadata.resourceVersion) this.#observe(current);
      const holder = current.spec?.holderIdentity;
      const validMs = (current.spec?.leaseDurationSeconds ?? 0) * 1000;
      if (holder && holder !== identity && clock.now() - this.#observedMs < Math.min(validMs, this.#leaseDurationMs)) {
        logger.v(4).info("Lease is held and has not yet expired", { holder });
        return false;
      }
      this.#observe(await client.update(leases, { ...current, spec: this.#claim(current.spec) }, { signal }));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const raced = isConflict(error) || isAlreadyExists(error);
      logger.v(raced ? 2 : 0).info("Failed to acquire or renew lease", { err: error });
      return false;
    }
  }

  async release(): Promise<void> {
    const { client, clock, logger } = this.#options;
    if (!this.#observed || this.heldByOther()) return;
    const now = formatMicroTime(clock.now());
    const spec = {
      ...this.#observed.spec,
      holderIdentity: "",
      leaseDurationSeconds: 1,
      renewTime: now,
      acquireTime: now,
    };
    try {
      await client.update(leases, { ...this.#observed, spec }, { signal: AbortSignal.timeout(2000) });
    } catch (error) {
      logger.v(2).info("Failed to release lease", { err: error });
    }
  }

  #observe(lease: Lease): void {
    this.#observed = lease;
    this.#observedMs = this.#options.clock.now();
  }

  #claim(previous: LeaseSpec | undefined): LeaseSpec {
    const { identity, clock } = this.#options;
    const now = formatMicroTime(clock.now());
    const ours = previous?.holderIdentity === identity;
    return {
      ...previous,
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(this.#leaseDurationMs / 1000),
      renewTime: now,
      acquireTime: ours ? (previous?.acquireTime ?? now) : now,
      leaseTransitions: (previous?.leaseTransitions ?? 0) + (previous && !ours ? 1 : 0),
    };
  }
}
