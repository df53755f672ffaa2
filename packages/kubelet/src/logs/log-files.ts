// Containers' logs as files for log collectors: <podLogsDir>/<namespace>_<pod>_<uid>/<container>/<restarts>.log in CRI
// format, and beside podLogsDir the links containers/<pod>_<namespace>_<container>-<id>.log. `kubectl logs` reads the
// engine's own log, not these.

import { mkdir, open, readdir, readlink, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { ContainerStatus } from "../cri/runtime.js";
import { type ContainerLog, followContainerLog } from "./container-log.js";
import type { RotationPolicy } from "./rotating-file.js";

export interface LogFilesOptions {
  readonly podLogsDir: string;
  readonly policy: RotationPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What of a container its log file is named after. */
export type LoggedContainer = Pick<
  ContainerStatus,
  "id" | "podUid" | "podName" | "podNamespace" | "name" | "logPath"
> & {
  readonly restartCount: number;
};

export interface LogFiles {
  /** Follows these containers of the pod and removes the files of its others. Returns at once. */
  observe(podUid: string, containers: readonly LoggedContainer[]): void;
  /** Removes all of the pod's log files; idempotent. */
  remove(podUid: string): Promise<void>;
  /** Stops following. */
  close(): Promise<void>;
}

const longestName = 255;

/** Upstream's BuildPodLogsDirectory. */
export function podLogsFolder({ podNamespace, podName, podUid }: LoggedContainer): string {
  return `${podNamespace}_${podName}_${podUid}`;
}

/** Upstream's logSymlink: cut where a file name must end. */
export function logLinkName({ podName, podNamespace, name, id }: LoggedContainer): string {
  return `${`${podName}_${podNamespace}_${name}-${id}`.slice(0, longestName - ".log".length)}.log`;
}

/** Makes nothing until the first container is seen. */
export function createLogFiles({ podLogsDir, policy, clock, logger }: LogFilesOptions): LogFiles {
  const linksDir = join(dirname(podLogsDir), "containers");
  const followed = new Map<string, Map<string, ContainerLog & { readonly link: string }>>();
  /** By pod, one after the other: making and removing must not overtake each other. No pod waits for another. */
  const work = new Map<string, Promise<void>>();
  const later = (podUid: string, task: () => Promise<unknown>, words: string): Promise<void> => {
    const done = (work.get(podUid) ?? Promise.resolve())
      .then(task)
      .catch((err: unknown) => logger.error(words, { err }))
      .then(() => {
        if (work.get(podUid) === done) work.delete(podUid);
      });
    work.set(podUid, done);
    return done;
  };

  async function link(target: string, path: string): Promise<void> {
    // Like a CRI runtime's, the file is there before the first line is.
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await (await open(target, "a", 0o640)).close();
    await mkdir(linksDir, { recursive: true, mode: 0o755 });
    if ((await readlink(path).catch(() => undefined)) === target) return;
    await rm(path, { force: true });
    await symlink(target, path);
  }

  async function removeLinksInto(folder: string, isKept: (target: string) => boolean): Promise<void> {
    for (const name of await readdir(linksDir).catch(() => [])) {
      const path = join(linksDir, name);
      const target = await readlink(path).catch(() => "");
      if (target.startsWith(`${folder}/`) && !isKept(target)) await rm(path, { force: true });
    }
  }

  /** What a kubelet before this one left of containers that are gone by now. */
  async function removeLeftovers(folder: string, present: ReadonlySet<string>): Promise<void> {
    for (const container of await readdir(folder).catch(() => [])) {
      for (const name of await readdir(join(folder, container)).catch(() => [])) {
        const log = join(folder, container, name.replace(/(?<=^\d+\.log)\..*$/, ""));
        if (!present.has(log)) await rm(join(folder, container, name), { force: true });
      }
    }
    await removeLinksInto(folder, (target) => present.has(target));
  }

  return {
    observe(podUid, containers) {
      const before = followed.get(podUid);
      const logged = containers.filter(({ logPath }) => logPath !== undefined);
      if (!before && logged.length === 0) return;
      const known = before ?? new Map<string, ContainerLog & { readonly link: string }>();
      if (!before) followed.set(podUid, known);
      const pathOf = (container: LoggedContainer) =>
        join(podLogsDir, podLogsFolder(container), container.name, `${container.restartCount}.log`);
      if (!before) {
        const present = new Set(logged.map(pathOf));
        const folder = join(podLogsDir, podLogsFolder(logged[0]!));
        void later(podUid, () => removeLeftovers(folder, present), "Cannot remove old log files");
      }
      for (const [id, log] of known) {
        if (containers.some((container) => container.id === id)) continue;
        known.delete(id);
        void later(
          podUid,
          () => Promise.all([log.remove(), rm(log.link, { force: true })]),
          "Cannot remove a log file",
        );
      }
      for (const container of logged) {
        if (known.has(container.id)) continue;
        const path = pathOf(container);
        const linkPath = join(linksDir, logLinkName(container));
        const log = followContainerLog({ enginePath: container.logPath!, path, policy, clock, logger });
        known.set(container.id, { ...log, link: linkPath });
        void later(podUid, () => link(path, linkPath), "Cannot link a log file");
      }
    },

    async remove(podUid) {
      const logs = [...(followed.get(podUid)?.values() ?? [])];
      followed.delete(podUid);
      await later(
        podUid,
        async () => {
          await Promise.all(logs.map((log) => log.stop()));
          for (const name of await readdir(podLogsDir).catch(() => [])) {
            if (!name.endsWith(`_${podUid}`)) continue;
            const folder = join(podLogsDir, name);
            await removeLinksInto(folder, () => false);
            await rm(folder, { recursive: true, force: true });
          }
        },
        "Cannot remove a pod's log files",
      );
    },

    async close() {
      for (const logs of followed.values()) for (const log of logs.values()) await log.stop();
      await Promise.all(work.values());
    },
  };
}
