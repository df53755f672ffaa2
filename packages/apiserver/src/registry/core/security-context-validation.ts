// Security contexts of pods and containers, in upstream's words (upstream: validatePodSpecSecurityContext,
// ValidateSecurityContext). Windows' options are checked only for being there. Pure.

import type { PodSecurityContext, PodSpec, SecurityContext } from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "@picokube/api/validation/field-error";
import { isInRange } from "@picokube/api/validation/names";
import { localDescendingPath, objections, oneOfIfSet } from "../check.js";

type SeccompProfile = NonNullable<SecurityContext["seccompProfile"]>;
type AppArmorProfile = NonNullable<SecurityContext["appArmorProfile"]>;

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];
const maxProfileBytes = 4095;

function validateId(id: number | undefined, field: string): FieldError[] {
  return id === undefined ? [] : objections(field, id, isInRange(id, { min: 0, max: 2147483647 }));
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const faults: FieldError[] = [];
  if (!type) faults.push(required(`${path}.type`, "type is required when seccompProfile is set"));
  else if (!profileTypes.includes(type)) faults.push(notSupported(`${path}.type`, type, profileTypes));
  const field = `${path}.localhostProfile`;
  if (type !== "Localhost") {
    const words = "can only be set when seccomp type is Localhost";
    return localhostProfile === undefined ? faults : [...faults, invalidValue(field, profile, words)];
  }
  if (localhostProfile === undefined) return [...faults, required(field, "must be set when seccomp type is Localhost")];
  return [...faults, ...localDescendingPath(field, localhostProfile)];
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const field = `${path}.localhostProfile`;
  if (!type) return [required(`${path}.type`, "type is required when appArmorProfile is set")];
  if (!profileTypes.includes(type)) return [notSupported(`${path}.type`, type, profileTypes)];
  if (type !== "Localhost") {
    const words = "can only be set when AppArmor type is Localhost";
    return localhostProfile === undefined ? [] : [invalidValue(field, localhostProfile, words)];
  }
  const missing = required(field, "must be set when AppArmor type is Localhost");
  if (localhostProfile === undefined) return [missing];
  const faults: FieldError[] = [];
  if (localhostProfile.trim() !== localhostProfile) {
    faults.push(invalidValue(field, localhostProfile, "must not be padded with whitespace"));
  } else if (localhostProfile === "") faults.push(missing);
  if (Buffer.byteLength(localhostProfile) > maxProfileBytes) faults.push(tooLong(field, maxProfileBytes));
  return faults;
}

/** A container's security context; hostUsers is false for a pod with a user namespace of its own. */
export function validateSecurityContext(
  security: SecurityContext | undefined,
  path: string,
  { hostUsers }: { hostUsers: boolean },
): FieldError[] {
  if (!security) return [];
  const { procMount } = security;
  const faults = [
    ...validateId(security.runAsUser, `${path}.runAsUser`),
    ...validateId(security.runAsGroup, `${path}.runAsGroup`),
    ...oneOfIfSet(`${path}.procMount`, procMount, ["Default", "Unmasked"]),
  ];
  if (hostUsers && procMount === "Unmasked") {
    faults.push(invalidValue(`${path}.procMount`, procMount, "`hostUsers` must be false to use `Unmasked`"));
  }
  faults.push(...validateSeccomp(security.seccompProfile, `${path}.seccompProfile`));
  if (security.allowPrivilegeEscalation === false) {
    const setBeside = (what: string) => `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
    if (security.privileged) faults.push(invalidValue(path, security, setBeside("`privileged` to true")));
    if (security.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      faults.push(invalidValue(path, security, setBeside("`capabilities.Add` CAP_SYS_ADMIN")));
    }
  }
  return [...faults, ...validateAppArmor(security.appArmorProfile, `${path}.appArmorProfile`)];
}

const sysctlSegment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlPattern = new RegExp(sysctlFormat);
const ipcSysctls = ["kernel.shm", "kernel.msg", "fs.mqueue."];

/** A sysctl with dots between its parts, however it is written (upstream: NormalizeName). */
function normalized(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== "/") return name;
  return name.replace(/[./]/g, (character) => (character === "/" ? "." : "/"));
}

function validateSysctls(sysctls: PodSecurityContext["sysctls"], path: string, spec: PodSpec): FieldError[] {
  const seen = new Set<string>();
  return (sysctls ?? []).flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`;
    const faults: FieldError[] = [];
    const words = `must have at most 253 characters and match regex ${sysctlFormat}`;
    if (!name) faults.push(required(at));
    else if (name.length > 253 || !sysctlPattern.test(name)) faults.push(invalidValue(at, name, words));
    else if (seen.has(name)) faults.push(duplicate(at, name));
    const plain = normalized(name ?? "");
    if (spec.hostNetwork && plain.startsWith("net.")) {
      faults.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && (plain === "kernel.sem" || ipcSysctls.some((prefix) => plain.startsWith(prefix)))) {
      faults.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
    return faults;
  });
}

/** A pod's security context. */
export function validatePodSecurityContext(spec: PodSpec, path: string): FieldError[] {
  const security = spec.securityContext ?? {};
  const faults = [
    ...validateId(security.fsGroup, `${path}.fsGroup`),
    ...validateId(security.runAsUser, `${path}.runAsUser`),
    ...validateId(security.runAsGroup, `${path}.runAsGroup`),
    ...(security.supplementalGroups ?? []).flatMap((group, index) =>
      validateId(group, `${path}.supplementalGroups[${index}]`),
    ),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    const words = "ShareProcessNamespace and HostPID cannot both be enabled";
    faults.push(invalidValue(`${path}.shareProcessNamespace`, true, words));
  }
  return [
    ...faults,
    ...validateSysctls(security.sysctls, `${path}.sysctls`, spec),
    ...oneOfIfSet(`${path}.fsGroupChangePolicy`, security.fsGroupChangePolicy, ["Always", "OnRootMismatch"]),
    ...validateSeccomp(security.seccompProfile, `${path}.seccompProfile`),
    ...validateAppArmor(security.appArmorProfile, `${path}.appArmorProfile`),
    ...oneOfIfSet(`${path}.supplementalGroupsPolicy`, security.supplementalGroupsPolicy, ["Merge", "Strict"]),
    // MountOption waits for the gate SELinuxMount, which 1.33 leaves off.
    ...oneOfIfSet(`${path}.seLinuxChangePolicy`, security.seLinuxChangePolicy, ["Recursive"]),
  ];
}
