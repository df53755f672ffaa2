// Keeps the IPAddress objects in line with Services' cluster IPs: at the start (which also moves data of before there were
// such objects), after somebody touched one, and every few minutes. Upstream's ipallocator-repair-controller.

import { randomInt } from "node:crypto";
import { events, services } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { ipaddresses } from "@picokube/api/networking/v1";
import { apiVersionOf } from "@picokube/api/resource";
import { formatMicroTime, formatTime } from "@picokube/api/time";
import type { Clock, Timer } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { addressOf } from "../registry/core/service-addresses.js";
import { serviceRanges } from "../registry/core/service-ranges.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { planRepair, type RepairStep } from "./repair-plan.js";

const intervalMs = 180_000;
const settleMs = 500;
const atOnce = 64;
const component = "ipallocator-repair-controller";

export interface RepairOptions {
  readonly storage: StorageRegistry;
  readonly serviceCidrs: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Resolves when all is right for the first time, to what ends it. */
export async function keepServiceAddresses({
  storage,
  serviceCidrs,
  clock,
  logger,
}: RepairOptions): Promise<() => void> {
  const rangesOf = serviceRanges(serviceCidrs);
  const addresses = storage.for(ipaddresses);
  let timer: Timer | undefined;
  let ended = false;

  function plan() {
    return planRepair({
      services: storage.for(services).list(),
      addresses: addresses.list(),
      ranges: rangesOf(storage),
      nowMs: clock.now(),
    });
  }

  async function repair(step: RepairStep): Promise<void> {
    const ip = step.delete ?? step.create?.ip;
    try {
      if (step.told) await tell(step.about, step.told);
      if (step.delete)
        await addresses.delete("", step.delete).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      if (step.create) await addresses.create(addressOf(step.create.ip, step.create.service));
    } catch (error) {
      if (!ended) logger.warn("A cluster IP could not be repaired", { ip, err: error });
    }
  }

  async function tell(
    about: RepairStep["about"],
    { reason, action, message }: NonNullable<RepairStep["told"]>,
  ): Promise<void> {
    logger.warn(message, { reason });
    const { namespace = "", name, uid, resourceVersion } = about.metadata;
    const kind = about.kind ?? "";
    const time = formatTime(clock.now());
    await storage.for(events).create({
      metadata: { name: `${name}.${randomInt(2 ** 47).toString(16)}`, namespace: namespace || "default" },
      involvedObject: {
        kind,
        apiVersion: about.apiVersion ?? apiVersionOf(services),
        name,
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
      },
      reason,
      message,
      type: "Warning",
      action,
      eventTime: formatMicroTime(clock.now()),
      firstTimestamp: time,
      lastTimestamp: time,
      reportingComponent: component,
      reportingInstance: component,
      source: { component },
    } as never);
  }

  async function run(): Promise<void> {
    const { steps, againInMs } = plan();
    // A cluster of before there were such objects has a step for each Service.
    for (let next = 0; next < steps.length && !ended; next += atOnce)
      await Promise.all(steps.slice(next, next + atOnce).map(repair));
    schedule(Math.min(intervalMs, againInMs ?? intervalMs));
  }

  function schedule(delayMs: number): void {
    timer?.cancel();
    if (!ended) timer = clock.after(delayMs, () => void run());
  }

  await run();
  // An address of an allocator's own appears and goes with its Service; what else happens to one is looked at soon.
  const stop = addresses.onChange(({ type }) => {
    if (type !== "ADDED") schedule(settleMs);
  });
  return () => {
    ended = true;
    stop();
    timer?.cancel();
  };
}
