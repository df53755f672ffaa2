// Runs controllers against a test's apiserver, with the flags' defaults. For tests only; fakes nothing.

import type { Client } from "@picokube/client/client";
import type { Controller } from "@picokube/client/controller";
import { createEventRecorder } from "@picokube/client/event-recorder";
import type { InformerFactory } from "@picokube/client/informer";
import { runController } from "@picokube/client/run-controller";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { type Clock, realClock, sleepOn } from "@picokube/component-base/clock";
import { parseFlags } from "@picokube/component-base/flag-set";
import { createLogger } from "@picokube/component-base/logger";
import { createMetrics, type Metrics } from "@picokube/component-base/metrics";
import type { Dependencies } from "./dependencies.js";
import { type ControllerManagerValues, flags } from "./options.js";

export interface RunningControllers {
  /** Those that the controllers read. */
  readonly informers: InformerFactory;
  /** Everything that was logged. */
  log(): string;
  stop(): Promise<void>;
}

/** What controllers are given, with informers that the caller starts and the log so far. */
export function testDependencies({
  client,
  clock = realClock(),
  options = {},
  metrics = createMetrics({ withProcess: false }),
}: {
  client: Client;
  clock?: Clock;
  options?: Partial<ControllerManagerValues>;
  metrics?: Metrics | undefined;
}): Dependencies & { log(): string } {
  let written = "";
  const write = (line: string) => {
    written += line;
  };
  const logger = createLogger({ verbosity: 2, name: "test", write });
  const defaults = parseFlags("kube-controller-manager", flags, []).values as unknown as ControllerManagerValues;
  return {
    client,
    informers: createInformerFactory({ client, logger, clock: realClock() }),
    clock,
    logger,
    metrics,
    options: { ...defaults, ...options },
    recorder: (component) => createEventRecorder({ client, component, clock: recorderClock }),
    log: () => written,
  };
}

// An event that can no longer be written when the test ends must not keep the process for its retries.
const recorderClock: Clock = {
  ...realClock(),
  sleep: (delayMs, signal) => sleepOn({ timer: (callback) => realClock().after(delayMs, callback), signal }),
};

/** Starts them; stops them when the test ends. The clock is theirs alone: informers keep real time. */
export function runControllers(
  t: { teardown(callback: () => unknown): void },
  {
    client,
    create,
    clock = realClock(),
    options = {},
    workers = 2,
    metrics,
  }: {
    client: Client;
    create: readonly ((dependencies: Dependencies) => Controller | undefined)[];
    clock?: Clock;
    options?: Partial<ControllerManagerValues>;
    workers?: number;
    /** Where they register what they measure. */
    metrics?: Metrics;
  },
): RunningControllers {
  const ending = new AbortController();
  const { signal } = ending;
  const dependencies = testDependencies({ client, clock, options, metrics });
  const { informers, logger } = dependencies;
  const controllers = create.flatMap((each) => each(dependencies) ?? []);
  informers.start(signal);
  const done = controllers.map((controller) => runController(controller, { workers, logger, clock, signal }));
  const stop = async () => {
    ending.abort();
    await Promise.all(done);
  };
  t.teardown(stop);
  return { informers, log: dependencies.log, stop };
}
