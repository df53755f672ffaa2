// Containers of pods, in upstream's words and order (upstream: validateContainers, validateInitContainers). Pure.

import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  SecurityContext,
  Volume,
  VolumeMount,
} from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isInRange, isValidPortName, isValidPortNum } from "@picokube/api/validation/names";
import { localDescendingPath, objections, oneOf, requiredLabel } from "../check.js";
import { validateEnv, validateEnvFrom } from "./env-validation.js";
import { validateLifecycle, validateProbe } from "./probe-validation.js";
import { validateResourceRequirements } from "./resource-validation.js";

const protocols = ["SCTP", "TCP", "UDP"];
const maxInt32 = 2147483647;

/** What a container is checked against: the pod around it. */
export interface PodContext {
  readonly volumes: readonly Volume[];
  readonly gracePeriodSeconds: number;
}

function validatePorts(ports: readonly ContainerPort[] | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol }] of (ports ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (name) {
      const words = isValidPortName(name);
      faults.push(...objections(`${at}.name`, name, words));
      if (words.length === 0 && names.has(name)) faults.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (!containerPort) faults.push(required(`${at}.containerPort`));
    else faults.push(...objections(`${at}.containerPort`, containerPort, isValidPortNum(containerPort)));
    if (hostPort) faults.push(...objections(`${at}.hostPort`, hostPort, isValidPortNum(hostPort)));
    faults.push(...oneOf(`${at}.protocol`, protocol, protocols));
  }
  return faults;
}

function validateMounts(
  container: Container | EphemeralContainer,
  path: string,
  { volumes }: PodContext,
): FieldError[] {
  const faults: FieldError[] = [];
  const paths = new Set<string>();
  const propagations = ["Bidirectional", "HostToContainer", "None"];
  for (const [index, mount] of ((container.volumeMounts ?? []) as VolumeMount[]).entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    if (!mount.name) faults.push(required(`${at}.name`));
    if (!volumes.some(({ name }) => name === mount.name)) faults.push(notFoundValue(`${at}.name`, mount.name));
    if (!mount.mountPath) faults.push(required(`${at}.mountPath`));
    if (paths.has(mount.mountPath)) faults.push(invalidValue(`${at}.mountPath`, mount.mountPath, "must be unique"));
    paths.add(mount.mountPath);
    if (mount.subPath) faults.push(...localDescendingPath(`${at}.subPath`, mount.subPath));
    if (mount.subPathExpr) {
      if (mount.subPath) {
        const words = "subPathExpr and subPath are mutually exclusive";
        faults.push(invalidValue(`${at}.subPathExpr`, mount.subPathExpr, words));
      }
      faults.push(...localDescendingPath(`${at}.subPathExpr`, mount.subPathExpr));
    }
    const propagation = mount.mountPropagation;
    if (propagation === undefined) continue;
    if (!propagations.includes(propagation)) {
      faults.push(notSupported(`${at}.mountPropagation`, propagation, propagations));
    } else if (propagation === "Bidirectional" && !container.securityContext?.privileged) {
      const words = "Bidirectional mount propagation is available only to privileged containers";
      faults.push(forbiddenField(`${at}.mountPropagation`, words));
    }
  }
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}.volumeDevices[${index}]`;
    if (!device.name) faults.push(required(`${at}.name`));
    else if (!volumes.some(({ name }) => name === device.name)) faults.push(notFoundValue(`${at}.name`, device.name));
    if (!device.devicePath) faults.push(required(`${at}.devicePath`));
    else if (paths.has(device.devicePath)) {
      faults.push(invalidValue(`${at}.devicePath`, device.devicePath, "must not already exist in volumeMounts"));
    }
  }
  return faults;
}

function validateSecurityContext(security: SecurityContext | undefined, path: string): FieldError[] {
  if (!security) return [];
  const faults: FieldError[] = [];
  for (const field of ["runAsUser", "runAsGroup"] as const) {
    const id = security[field];
    if (id !== undefined) faults.push(...objections(`${path}.${field}`, id, isInRange(id, { min: 0, max: maxInt32 })));
  }
  if (security.allowPrivilegeEscalation === false) {
    const setBeside = (what: string) => `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
    if (security.privileged) faults.push(invalidValue(path, security, setBeside("`privileged` to true")));
    if (security.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      faults.push(invalidValue(path, security, setBeside("`capabilities.Add` CAP_SYS_ADMIN")));
    }
  }
  return faults;
}

function validateCommon(container: Container | EphemeralContainer, path: string, pod: PodContext): FieldError[] {
  const faults = requiredLabel(`${path}.name`, container.name);
  const { image = "" } = container;
  if (image === "") faults.push(required(`${path}.image`));
  else if (image.trim() !== image) {
    faults.push(invalidValue(`${path}.image`, image, "must not have leading or trailing whitespace"));
  }
  faults.push(
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"]),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnv(container.env, `${path}.env`),
    ...validateEnvFrom(container.envFrom, `${path}.envFrom`),
    ...validateMounts(container, path, pod),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
    ...validateResourceRequirements(container.resources, `${path}.resources`),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`),
  );
  return faults;
}

function validateHooks(container: Container, path: string, { gracePeriodSeconds }: PodContext): FieldError[] {
  const once = { onlyOnce: true, gracePeriodSeconds };
  return [
    ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, gracePeriodSeconds),
    ...validateProbe(container.livenessProbe, `${path}.livenessProbe`, once),
    ...validateProbe(container.readinessProbe, `${path}.readinessProbe`, { onlyOnce: false, gracePeriodSeconds }),
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
  pod: PodContext & { containers: readonly Container[] },
): FieldError[] {
  const names = new Set(pod.containers.map(({ name }) => name));
  const words = "may not be set for init containers without restartPolicy=Always";
  return (initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const faults = validateCommon(container, at, pod);
    if (container.restartPolicy !== undefined && container.restartPolicy !== "Always") {
      faults.push(notSupported(`${at}.restartPolicy`, container.restartPolicy, ["Always"]));
    }
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    faults.push(...hostPortConflicts([container], `${path}`));
    if (container.restartPolicy === "Always") return [...faults, ...validateHooks(container, at, pod)];
    for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (container[field] !== undefined) faults.push(forbiddenField(`${at}.${field}`, words));
    }
    return faults;
  });
}

const ephemeralForbidden = ["ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Ephemeral containers: no ports, probes or resources, and a target that exists. */
export function validateEphemeralContainers(
  ephemeral: readonly EphemeralContainer[] | undefined,
  path: string,
  pod: PodContext & { containers: readonly Container[]; initContainers: readonly Container[] },
): FieldError[] {
  const names = new Set([...pod.containers, ...pod.initContainers].map(({ name }) => name));
  const targets = new Set(pod.containers.map(({ name }) => name));
  return (ephemeral ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const faults = validateCommon(container, at, pod);
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    if (container.targetContainerName && !targets.has(container.targetContainerName)) {
      faults.push(notFoundValue(`${at}.targetContainerName`, container.targetContainerName));
    }
    const words = "cannot be set for an Ephemeral Container";
    for (const field of ephemeralForbidden) {
      if (container[field] !== undefined) faults.push(forbiddenField(`${at}.${field}`, words));
    }
    if (Object.keys(container.resources ?? {}).length > 0) faults.push(forbiddenField(`${at}.resources`, words));
    return faults;
  });
}
