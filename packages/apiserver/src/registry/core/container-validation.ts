// Containers of pods, in upstream's words and order (upstream: validateContainers, validateInitContainers). Pure.

import type { Container, ContainerPort, EphemeralContainer, PodSpec, Volume, VolumeMount } from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isValidPortName, isValidPortNum } from "@picokube/api/validation/names";
import { objections, oneOf, requiredLabel } from "../check.js";
import { validateEnv, validateEnvFrom } from "./env-validation.js";
import { validateVolumeDevices, validateVolumeMounts } from "./mount-validation.js";
import { validateLifecycle, validateProbe } from "./probe-validation.js";
import { validateResourceRequirements } from "./resource-validation.js";
import { validateSecurityContext } from "./security-context-validation.js";

const protocols = ["SCTP", "TCP", "UDP"];

/** What a container is checked against: the pod around it. */
export interface PodContext {
  readonly spec: PodSpec;
  /** The volumes that are valid, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
}

const graceOf = ({ spec }: PodContext) => spec.terminationGracePeriodSeconds ?? 30;

function validatePorts(ports: readonly ContainerPort[] | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol }] of (ports ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (name) {
      const words = isValidPortName(name);
      faults.push(...objections(`${at}.name`, name, words));
      if (names.has(name)) faults.push(duplicate(`${at}.name`, name));
      if (words.length === 0) names.add(name);
    }
    if (!containerPort) faults.push(required(`${at}.containerPort`));
    else faults.push(...objections(`${at}.containerPort`, containerPort, isValidPortNum(containerPort)));
    if (hostPort) faults.push(...objections(`${at}.hostPort`, hostPort, isValidPortNum(hostPort)));
    faults.push(...oneOf(`${at}.protocol`, protocol, protocols));
  }
  return faults;
}

function validateResizePolicy(container: Container | EphemeralContainer, path: string, pod: PodContext): FieldError[] {
  const seen = new Set<string>();
  return (container.resizePolicy ?? []).flatMap(({ resourceName, restartPolicy }, index) => {
    const faults = seen.has(resourceName) ? [duplicate(`${path}[${index}]`, resourceName)] : [];
    seen.add(resourceName);
    faults.push(...oneOf(path, resourceName, ["cpu", "memory"]));
    faults.push(...oneOf(path, restartPolicy, ["NotRequired", "RestartContainer"]));
    if (pod.spec.restartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const words = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      faults.push(invalidValue(path, restartPolicy, words));
    }
    return faults;
  });
}

function validateCommon(container: Container | EphemeralContainer, path: string, pod: PodContext): FieldError[] {
  const mounts = (container.volumeMounts ?? []) as VolumeMount[];
  return [
    ...requiredLabel(`${path}.name`, container.name),
    ...(container.image ? [] : [required(`${path}.image`)]),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"]),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnv(container.env, `${path}.env`),
    ...validateEnvFrom(container.envFrom, `${path}.envFrom`),
    ...validateVolumeMounts(container, `${path}.volumeMounts`, pod.volumes),
    ...validateVolumeDevices(container.volumeDevices, `${path}.volumeDevices`, { mounts, volumes: pod.volumes }),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
    ...validateResourceRequirements(container.resources, `${path}.resources`),
    ...validateResizePolicy(container, `${path}.resizePolicy`, pod),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`, {
      hostUsers: pod.spec.hostUsers !== false,
    }),
  ];
}

/** What pods, but not templates, hold an image to (upstream: validateContainerOnlyForPod). */
export function validateImageOfPod({ image = "" }: Container | EphemeralContainer, path: string): FieldError[] {
  const words = "must not have leading or trailing whitespace";
  return image.trim() === image ? [] : [invalidValue(`${path}.image`, image, words)];
}

function validateHooks(container: Container, path: string, pod: PodContext): FieldError[] {
  const grace = graceOf(pod);
  const once = { onlyOnce: true, gracePeriodSeconds: grace };
  return [
    ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, grace),
    ...validateProbe(container.livenessProbe, `${path}.livenessProbe`, once),
    ...validateProbe(container.readinessProbe, `${path}.readinessProbe`, {
      onlyOnce: false,
      gracePeriodSeconds: grace,
    }),
    ...validateProbe(container.startupProbe, `${path}.startupProbe`, once),
  ];
}

function hostPortConflicts(containers: readonly Container[], path: string): FieldError[] {
  const seen = new Set<string>();
  const faults: FieldError[] = [];
  for (const [index, { ports }] of containers.entries()) {
    for (const [portIndex, { protocol, hostIP = "", hostPort }] of (ports ?? []).entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(key)) faults.push(duplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key));
      seen.add(key);
    }
  }
  return faults;
}

/** The pod's regular containers: at least one. */
export function validateContainers(
  containers: readonly Container[] | undefined,
  path: string,
  pod: PodContext,
): FieldError[] {
  if (!containers || containers.length === 0) return [required(path)];
  const names = new Set<string>();
  const faults = containers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const found = validateCommon(container, at, pod);
    if (names.has(container.name)) found.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    found.push(...validateHooks(container, at, pod));
    if (container.restartPolicy !== undefined) {
      found.push(forbiddenField(`${at}.restartPolicy`, "may not be set for non-init containers"));
    }
    return found;
  });
  return [...faults, ...hostPortConflicts(containers, path)];
}

/** Init containers; those with restartPolicy Always are sidecars and may have probes. */
export function validateInitContainers(
  initContainers: readonly Container[] | undefined,
  path: string,
  pod: PodContext,
): FieldError[] {
  const names = new Set((pod.spec.containers ?? []).map(({ name }) => name));
  const words = "may not be set for init containers without restartPolicy=Always";
  return (initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const faults = validateCommon(container, at, pod);
    if (container.restartPolicy !== undefined && container.restartPolicy !== "Always") {
      faults.push(notSupported(`${at}.restartPolicy`, container.restartPolicy, ["Always"]));
    }
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    // Upstream looks at each of them alone, as the list's first.
    faults.push(...hostPortConflicts([container], path));
    if (container.restartPolicy === "Always") return [...faults, ...validateHooks(container, at, pod)];
    for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (container[field] !== undefined) faults.push(forbiddenField(`${at}.${field}`, words));
    }
    return faults;
  });
}

const ephemeralForbidden = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

const isSet = (value: unknown) =>
  value !== undefined && (typeof value !== "object" || value === null || Object.keys(value).length > 0);

/** Ephemeral containers: no ports, probes or resources, and a target that exists. */
export function validateEphemeralContainers(
  ephemeral: readonly EphemeralContainer[] | undefined,
  path: string,
  pod: PodContext,
): FieldError[] {
  const others = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map(({ name }) => name);
  const names = new Set(others);
  const words = "cannot be set for an Ephemeral Container";
  return (ephemeral ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const faults = [...validateCommon(container, at, pod), ...validateImageOfPod(container, at)];
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    if (container.targetContainerName && !others.includes(container.targetContainerName)) {
      faults.push(notFoundValue(`${at}.targetContainerName`, container.targetContainerName));
    }
    for (const field of ephemeralForbidden) {
      if (isSet(container[field])) faults.push(forbiddenField(`${at}.${field}`, words));
    }
    for (const [place, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
      if (subPath) faults.push(forbiddenField(`${at}.volumeMounts[${place}].subPath`, words));
      if (subPathExpr) faults.push(forbiddenField(`${at}.volumeMounts[${place}].subPathExpr`, words));
    }
    return faults;
  });
}
