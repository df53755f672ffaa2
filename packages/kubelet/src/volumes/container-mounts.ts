// What a container mounts of its pod's volumes: paths on the host, parts of volumes, propagation. Upstream's makeMounts.
// Knows volumes by their paths; sets none up.

import { join } from "node:path";
import type { Container, EphemeralContainer, Pod, VolumeMount } from "@picokube/api/core/v1";
import type { Logger } from "@picokube/component-base/logger";
import type { Mount } from "../cri/runtime.js";
import { environmentMap, expand } from "../env/expand.js";
import { ContainerConfigError } from "../parts.js";
import { resolveRecursiveReadOnly } from "./recursive-read-only.js";
import { bindSubPath, makeSubPath } from "./sub-path.js";

export interface ContainerMounts {
  readonly pod: Pod;
  /** Of the pod's volumes on the host, by name. */
  readonly paths: ReadonlyMap<string, string>;
  /** Where parts of volumes are bound. */
  readonly subPathsDir: string;
  /** NAME=value lines for subPathExpr. */
  readonly environment: () => Promise<readonly string[]>;
  readonly recursiveReadOnlyMounts: boolean;
  readonly logger: Logger;
}

type AnyContainer = Container | EphemeralContainer;

/** The mounts of a container in their order. Throws ContainerConfigError. */
export async function containerMounts(container: AnyContainer, context: ContainerMounts): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const [index, mount] of ((container.volumeMounts ?? []) as VolumeMount[]).entries()) {
    mounts.push(await mountOf(container, { mount, index }, context));
  }
  return mounts;
}

interface Place {
  readonly mount: VolumeMount;
  readonly index: number;
}

async function mountOf(container: AnyContainer, place: Place, context: ContainerMounts): Promise<Mount> {
  const { mount } = place;
  const { pod, paths, recursiveReadOnlyMounts } = context;
  const volumePath = paths.get(mount.name);
  if (volumePath === undefined) {
    throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
  }
  const subPath = mount.subPathExpr ? await expandSubPath(mount.subPathExpr, context) : mount.subPath;
  const hostPath = subPath ? await partOf(container, { ...place, volumePath, subPath }, context) : volumePath;
  const claim = pod.spec?.volumes?.find(({ name }) => name === mount.name)?.persistentVolumeClaim;
  return {
    hostPath,
    containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
    readOnly: mount.readOnly === true || claim?.readOnly === true,
    recursiveReadOnly: isRecursive(mount, recursiveReadOnlyMounts),
    propagation: (mount.mountPropagation ?? "None") as Mount["propagation"],
  };
}

function isRecursive(mount: VolumeMount, isSupported: boolean): boolean {
  try {
    return resolveRecursiveReadOnly(mount, isSupported);
  } catch (cause) {
    const words = (cause as Error).message;
    throw new ContainerConfigError(`failed to resolve recursive read-only mode: ${words}`, { cause });
  }
}

async function expandSubPath(expression: string, { environment }: ContainerMounts): Promise<string> {
  const variables = environmentMap(await environment());
  return expand(expression, (name) => {
    const value = variables.get(name);
    if (value === undefined) throw new ContainerConfigError(`missing value for "${name}"`);
    return value;
  });
}

/** Binds the part and gives its path. What went wrong in detail is for the log alone: it could tell of the host's files. */
async function partOf(
  container: AnyContainer,
  { mount, index, volumePath, subPath }: Place & { readonly volumePath: string; readonly subPath: string },
  { subPathsDir, logger }: ContainerMounts,
): Promise<string> {
  if (subPath.startsWith("/")) {
    throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split("/").includes("..")) {
    throw new ContainerConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  }
  const fail = (step: string) => (cause: unknown) => {
    const place = `for volumeMount "${mount.name}" of container "${container.name}"`;
    logger.error(`Failed to ${step} for volumeMount of the container`, {
      container: container.name,
      volumeMount: mount.name,
      err: cause,
    });
    throw new ContainerConfigError(`failed to ${step} ${place}`, { cause });
  };
  const target = join(subPathsDir, mount.name, container.name, String(index));
  await makeSubPath(volumePath, subPath).catch(fail("create subPath directory"));
  await bindSubPath({ volumePath, subPath, target }).catch(fail("prepare subPath"));
  return target;
}
