// What fits the operating system that a pod names, in upstream's words (upstream: validateOS, validateLinux,
// validateWindows). Pure.

import type { PodSpec } from "@picokube/api/core/v1";
import { type FieldError, forbiddenField, notSupported, required } from "@picokube/api/validation/field-error";

const podFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "hostUsers",
  "hostPID",
  "hostIPC",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "shareProcessNamespace",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
];
/** Those of them that stand in the spec and not in its security context. */
const specFields = new Set(["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"]);
const containerFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
];

type Fields = { readonly [field: string]: unknown };

/** Every container of the pod with its path, in upstream's order (upstream: VisitContainersWithPath). */
export function containersWithPaths(spec: PodSpec, path: string) {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({ container, at: `${path}.${list}[${index}]` })),
  );
}

function isSet(field: string, value: unknown): boolean {
  if (field === "hostPID" || field === "hostIPC") return value === true;
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

function validateWindows(spec: PodSpec, path: string): FieldError[] {
  const words = "cannot be set for a windows pod";
  const security = (spec.securityContext ?? {}) as Fields;
  const faults = podFields.flatMap((field) => {
    const [holder, at] = specFields.has(field)
      ? [spec as unknown as Fields, `${path}.${field}`]
      : [security, `${path}.securityContext.${field}`];
    return isSet(field, holder[field]) ? [forbiddenField(at, words)] : [];
  });
  for (const { container, at } of containersWithPaths(spec, path)) {
    const own = (container.securityContext ?? {}) as Fields;
    faults.push(
      ...containerFields
        .filter((field) => own[field] !== undefined)
        .map((field) => forbiddenField(`${at}.securityContext.${field}`, words)),
    );
  }
  return faults;
}

function validateLinux(spec: PodSpec, path: string): FieldError[] {
  const words = "windows options cannot be set for a linux pod";
  const holders = [
    { security: spec.securityContext, at: path },
    ...containersWithPaths(spec, path).map(({ container, at }) => ({ security: container.securityContext, at })),
  ];
  return holders
    .filter(({ security }) => security?.windowsOptions !== undefined)
    .map(({ at }) => forbiddenField(`${at}.securityContext.windowsOptions`, words));
}

/** spec.os, and what may not stand beside it. */
export function validateOs(spec: PodSpec, path: string): FieldError[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(`${path}.os.name`, "cannot be empty")];
  if (name === "linux") return validateLinux(spec, path);
  if (name === "windows") return validateWindows(spec, path);
  return [notSupported(`${path}.os`, name, ["linux", "windows"])];
}
