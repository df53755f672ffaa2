// What a pod asks of the host itself, and may not have on this one: sysctls that are not namespaced or not allowed, AppArmor
// where the kernel has none, groups without those of the image. Mirrors upstream's sysctl/allowlist.go, security/apparmor and
// lifecycle/predicate.go. Pure.

import type { Pod } from "@picokube/api/core/v1";
import type { Refusal } from "./admission.js";
import { allContainers } from "./container-spec.js";

export interface HostAbilities {
  /** As os.release() tells it. */
  readonly kernelRelease: string;
  readonly appArmor: boolean;
  /** Names or, ending in an asterisk, prefixes, as --allowed-unsafe-sysctls has them. */
  readonly allowedUnsafeSysctls: readonly string[];
}

interface SafeSysctl {
  readonly name: string;
  /** The first kernel that has it in a namespace; all, when left out. */
  readonly since?: string;
}

const safeSysctls: readonly SafeSysctl[] = [
  { name: "kernel.shm_rmid_forced" },
  { name: "net.ipv4.ip_local_port_range" },
  { name: "net.ipv4.tcp_syncookies" },
  { name: "net.ipv4.ping_group_range" },
  { name: "net.ipv4.ip_unprivileged_port_start" },
  { name: "net.ipv4.ip_local_reserved_ports", since: "3.16" },
  { name: "net.ipv4.tcp_keepalive_time", since: "4.5" },
  { name: "net.ipv4.tcp_fin_timeout", since: "4.6" },
  { name: "net.ipv4.tcp_keepalive_intvl", since: "4.5" },
  { name: "net.ipv4.tcp_keepalive_probes", since: "4.5" },
  { name: "net.ipv4.tcp_rmem", since: "4.15" },
  { name: "net.ipv4.tcp_wmem", since: "4.15" },
];

const numbers = (release: string) => (/^\d+(\.\d+)?/.exec(release)?.[0] ?? "0").split(".").map(Number);

function isAtLeast(release: string, since: string): boolean {
  const [major = 0, minor = 0] = numbers(release);
  const [wantedMajor = 0, wantedMinor = 0] = numbers(since);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Names with slashes mean the same as names with dots. */
export const normalSysctl = (name: string): string => {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== "/") return name;
  return name.replace(/[./]/g, (found) => (found === "/" ? "." : "/"));
};

/** Which namespace isolates it: upstream's NamespacedBy; undefined: none does. */
export function namespaceOf(sysctl: string): "IPC" | "Net" | undefined {
  if (["kernel.sem", "kernel.shm_rmid_forced"].includes(sysctl)) return "IPC";
  if (/^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(sysctl)) return "IPC";
  return sysctl.startsWith("net.") ? "Net" : undefined;
}

function isAllowed(sysctl: string, { kernelRelease, allowedUnsafeSysctls }: HostAbilities): boolean {
  const safe = safeSysctls.find(({ name }) => name === sysctl);
  if (safe && (safe.since === undefined || isAtLeast(kernelRelease, safe.since))) return true;
  return allowedUnsafeSysctls.some((pattern) =>
    pattern.endsWith("*") ? sysctl.startsWith(normalSysctl(pattern).slice(0, -1)) : normalSysctl(pattern) === sysctl,
  );
}

function sysctlRefusal({ spec }: Pod, host: HostAbilities): Refusal | undefined {
  for (const { name } of spec?.securityContext?.sysctls ?? []) {
    const sysctl = normalSysctl(name);
    const namespace = namespaceOf(sysctl);
    const refuse = (words: string) => ({
      reason: "SysctlForbidden",
      message: `forbidden sysctl: "${sysctl}" ${words}`,
    });
    if (!isAllowed(sysctl, host)) return refuse("not allowlisted");
    if (namespace === "IPC" && spec?.hostIPC) return refuse("not allowed with host IPC enabled");
    if (namespace === "Net" && spec?.hostNetwork) return refuse("not allowed with host Net enabled");
  }
  return undefined;
}

/** The engine always adds the groups that the image's /etc/group gives the user. */
function groupsRefusal({ spec }: Pod): Refusal | undefined {
  if (spec?.securityContext?.supplementalGroupsPolicy !== "Strict") return undefined;
  const message = "SupplementalGroupsPolicy=Strict is not supported in this node";
  return { reason: "SupplementalGroupsPolicyNotSupported", message };
}

/** Why this host cannot take the pod; undefined when it can. */
export function hostRefusalOf(pod: Pod, host: HostAbilities): Refusal | undefined {
  const refusal = sysctlRefusal(pod, host) ?? groupsRefusal(pod);
  if (refusal || host.appArmor) return refusal;
  const profiles = [pod.spec?.securityContext, ...allContainers(pod).map((container) => container.securityContext)];
  if (!profiles.some((context) => context?.appArmorProfile && context.appArmorProfile.type !== "Unconfined"))
    return undefined;
  return { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" };
}
