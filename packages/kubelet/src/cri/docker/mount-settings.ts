// A mount as Docker's create call wants it, and whether the engine can keep what lies below a read-only mount read-only.
// Pure.

import type { MountSettings } from "dockerode";
import type { Mount } from "../runtime.js";

/** Fields of API 1.44 on that dockerode's types lack. */
interface BindOptions {
  Propagation?: string;
  ReadOnlyNonRecursive?: boolean;
  ReadOnlyForceRecursive?: boolean;
}

// Left to the engine it is rprivate, but rslave where the source holds the engine's own directory: "/", for one.
const propagations = { None: undefined, HostToContainer: "rslave", Bidirectional: "rshared" } as const;

const numbers = (text: string) => (/^\d+\.\d+/.exec(text)?.[0] ?? "0.0").split(".").map(Number) as [number, number];

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [own, ownMinor] = numbers(version);
  return own > major || (own === major && ownMinor >= minor);
}

/** Engine 25 learned it, from Linux 5.12 (mount_setattr). */
export function hasRecursiveReadOnly({
  apiVersion,
  kernelVersion,
}: {
  readonly apiVersion: string;
  readonly kernelVersion: string;
}): boolean {
  return isAtLeast(apiVersion, [1, 44]) && isAtLeast(kernelVersion, [5, 12]);
}

function bindOptions(mount: Mount, recursiveReadOnly: boolean): BindOptions {
  const propagation = propagations[mount.propagation];
  const options: BindOptions = propagation ? { Propagation: propagation } : {};
  if (!recursiveReadOnly || !mount.readOnly) return options;
  // An engine that can be recursive is so unless told otherwise; to be it for certain it wants the propagation named.
  if (!mount.recursiveReadOnly) return { ...options, ReadOnlyNonRecursive: true };
  return { Propagation: "rprivate", ReadOnlyForceRecursive: true };
}

/** recursiveReadOnly: whether the engine has it. */
export function mountSettings(mount: Mount, { recursiveReadOnly }: { recursiveReadOnly: boolean }): MountSettings {
  const options = bindOptions(mount, recursiveReadOnly);
  return {
    Type: "bind",
    Source: mount.hostPath,
    Target: mount.containerPath,
    ReadOnly: mount.readOnly,
    ...(Object.keys(options).length > 0 ? { BindOptions: options as MountSettings["BindOptions"] } : {}),
  };
}
