// Whether a mount is read-only all the way down, below what else is mounted there, and what the pod's status says of it.
// Mirrors upstream's resolveRecursiveReadOnly. Pure.

import type { Container, ContainerStatus, EphemeralContainer, VolumeMount } from "@picokube/api/core/v1";

/** Throws upstream's words for a wish that this runtime cannot keep. */
export function resolveRecursiveReadOnly(
  { name, readOnly, mountPropagation = "None", recursiveReadOnly = "Disabled" }: VolumeMount,
  isSupported: boolean,
): boolean {
  if (recursiveReadOnly === "Disabled") return false;
  const words = `volume "${name}" requested recursive read-only mode, but it is not`;
  if (!readOnly) throw new Error(`${words} read-only`);
  if (mountPropagation !== "None") throw new Error(`${words} compatible with propagation "${mountPropagation}"`);
  if (recursiveReadOnly === "IfPossible") return isSupported;
  if (recursiveReadOnly !== "Enabled") throw new Error(`unknown recursive read-only mode "${recursiveReadOnly}"`);
  if (!isSupported) throw new Error(`${words} supported by the runtime`);
  return true;
}

/** status.containerStatuses[].volumeMounts: of a read-only mount also whether what lies below is read-only. */
export function mountStatuses(
  { volumeMounts = [] }: Container | EphemeralContainer,
  isSupported: boolean,
): NonNullable<ContainerStatus["volumeMounts"]> {
  return (volumeMounts as readonly VolumeMount[]).map((mount) => {
    const { name, mountPath, readOnly } = mount;
    if (!readOnly) return { name, mountPath };
    return { name, mountPath, readOnly, recursiveReadOnly: isRecursive(mount, isSupported) ? "Enabled" : "Disabled" };
  });
}

function isRecursive(mount: VolumeMount, isSupported: boolean): boolean {
  try {
    return resolveRecursiveReadOnly(mount, isSupported);
  } catch {
    // The container's start says why.
    return false;
  }
}
