// Keeps one container's CRI log file up with the engine's own: woken by inotify, it copies what is new. A kubelet that
// starts anew goes on after the last line that the file has.

import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { criLogLine, sortableTime } from "./cri-log-line.js";
import { createEngineLogReader } from "./engine-log-reader.js";
import { createRotatingFile, type RotationPolicy } from "./rotating-file.js";

export interface ContainerLogOptions {
  readonly enginePath: string;
  readonly path: string;
  readonly policy: RotationPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ContainerLog {
  readonly path: string;
  /** Copies what is new soon; any number of calls make one copy. */
  wake(): void;
  /** Stops, and resolves when nothing is being written any more. */
  stop(): Promise<void>;
  /** Stops, and removes the file with its rotated ones. */
  remove(): Promise<void>;
}

/** A container that says a lot is copied ten times a second, not at each line. */
const coalesceMs = 100;

const timeOf = (line: string) => line.slice(0, line.indexOf(" "));

/** Begins at once. */
export function followContainerLog({ enginePath, path, policy, clock, logger }: ContainerLogOptions): ContainerLog {
  const reader = createEngineLogReader(enginePath);
  const file = createRotatingFile(path, { policy, clock });
  let copying: Promise<void> = Promise.resolve();
  let timer: Timer | undefined;
  let stopped = false;
  let resumed = false;
  /** Lines up to this time are in the file already. */
  let writtenUntil = "";

  async function copy(): Promise<void> {
    if (!resumed) {
      const last = await file.resume();
      if (last !== undefined) writtenUntil = sortableTime(timeOf(last));
      resumed = true;
    }
    for (;;) {
      const entries = await reader.read();
      if (entries.length === 0) return;
      const lines = entries.map(criLogLine).filter((line) => line !== undefined);
      const fresh = writtenUntil === "" ? lines : lines.filter((line) => sortableTime(timeOf(line)) > writtenUntil);
      // The first that is new: the engine's file is in order.
      if (fresh.length > 0) {
        writtenUntil = "";
        await file.append(fresh.join(""));
      }
      if (stopped) return;
    }
  }

  function wake(): void {
    if (stopped || timer) return;
    timer = clock.after(coalesceMs, () => {
      timer = undefined;
      copying = copying
        .then(copy)
        .catch((err: unknown) => logger.error("Cannot write a container's log file", { path, err }));
    });
  }

  let watcher: FSWatcher | undefined;
  try {
    const name = basename(enginePath);
    watcher = watch(dirname(enginePath), { persistent: false }, (_, changed) => {
      if (changed === null || changed.startsWith(name)) wake();
    });
    // The folder goes with the container.
    watcher.on("error", () => watcher?.close());
  } catch (err) {
    logger.error("Cannot watch a container's log: its file lags behind until its state changes", { path, err });
  }
  wake();

  async function stop(): Promise<void> {
    stopped = true;
    watcher?.close();
    timer?.cancel();
    await copying;
  }

  return {
    path,
    wake,
    stop,
    async remove() {
      await stop();
      await file.remove();
    },
  };
}
