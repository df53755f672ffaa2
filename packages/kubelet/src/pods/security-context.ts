// A container's security settings out of its own and its pod's securityContext. Mirrors upstream's securitycontext
// package. Pure but for the place of seccomp profiles, which the caller names.

import { join } from "node:path";
import type { Container, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import type { ContainerConfig, ImageInfo } from "../cri/runtime.js";
import { ContainerConfigError } from "../parts.js";
import { podName } from "./pod-events.js";

type AnyContainer = Container | EphemeralContainer;

/** Throws what upstream says when runAsNonRoot cannot be kept. */
export function verifyRunAsNonRoot(pod: Pod, container: AnyContainer, image: ImageInfo): void {
  const own = container.securityContext;
  const ofPod = pod.spec?.securityContext;
  if ((own?.runAsNonRoot ?? ofPod?.runAsNonRoot) !== true) return;
  const place = `(pod: ${JSON.stringify(podName(pod))}, container: ${container.name})`;
  const uid = own?.runAsUser ?? ofPod?.runAsUser;
  if (uid === 0) {
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${place}`);
  }
  if (uid !== undefined) return;
  const [user = ""] = image.user.split(":");
  if (user === "" || user === "0") {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${place}`);
  }
  if (!/^\d+$/.test(user)) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${place}`,
    );
  }
}

function profile(setting: { type?: string; localhostProfile?: string } | undefined, root: string): string | undefined {
  if (setting?.type === "RuntimeDefault") return "runtime/default";
  if (setting?.type === "Unconfined") return "unconfined";
  if (setting?.type === "Localhost") return join(root, setting.localhostProfile ?? "");
  return undefined;
}

function appArmor(setting: { type?: string; localhostProfile?: string } | undefined): string | undefined {
  if (setting?.type === "Unconfined") return "unconfined";
  return setting?.type === "Localhost" ? setting.localhostProfile : undefined;
}

export interface SecurityInputs {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly image: ImageInfo;
  /** RuntimeDefault, not Unconfined, for those who name no seccomp profile. */
  readonly seccompDefault: boolean;
  /** Where Localhost seccomp profiles lie. */
  readonly seccompRoot: string;
  /** Of the container that an ephemeral container looks into. */
  readonly targetContainerId: string | undefined;
}

/** The security part of a ContainerConfig. */
export function containerSecurity({
  pod,
  container,
  image,
  seccompDefault,
  seccompRoot,
  targetContainerId,
}: SecurityInputs): ContainerConfig["security"] {
  const own = container.securityContext;
  const ofPod = pod.spec?.securityContext;
  const uid = own?.runAsUser ?? ofPod?.runAsUser;
  const gid = own?.runAsGroup ?? ofPod?.runAsGroup;
  const imageUser = image.user.split(":")[0] || "0";
  const user = gid !== undefined ? `${uid ?? imageUser}:${gid}` : uid === undefined ? undefined : String(uid);
  const groups = [...(ofPod?.supplementalGroups ?? []), ...(ofPod?.fsGroup === undefined ? [] : [ofPod.fsGroup])];
  const defaultProfile = seccompDefault ? { type: "RuntimeDefault" } : undefined;
  return {
    privileged: own?.privileged === true,
    user,
    groups: [...new Set(groups)],
    readOnlyRootFilesystem: own?.readOnlyRootFilesystem === true,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    addCapabilities: own?.capabilities?.add ?? [],
    dropCapabilities: own?.capabilities?.drop ?? [],
    seccomp: profile(own?.seccompProfile ?? ofPod?.seccompProfile ?? defaultProfile, seccompRoot),
    appArmor: appArmor(own?.appArmorProfile ?? ofPod?.appArmorProfile),
    pidMode: pidMode(pod, targetContainerId),
  };
}

function pidMode(pod: Pod, targetContainerId: string | undefined): string {
  if (pod.spec?.hostPID) return "host";
  if (pod.spec?.shareProcessNamespace) return "pod";
  return targetContainerId === undefined ? "container" : `container:${targetContainerId}`;
}
