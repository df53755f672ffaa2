// Pod specs and pod templates, in upstream's order (upstream: ValidatePodSpec, ValidatePodTemplateSpec). Pure.

import type { PodSpec, PodTemplateSpec } from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "@picokube/api/validation/field-error";
import { isValidIP } from "@picokube/api/validation/ip";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isInRange,
  isQualifiedName,
} from "@picokube/api/validation/names";
import { objections, oneOf, subdomainIfSet } from "../check.js";
import { validateAnnotations, validateLabels } from "../label-validation.js";
import { validateContainers, validateEphemeralContainers, validateInitContainers } from "./container-validation.js";
import { validatePodAnnotations, validateProfileAnnotations } from "./pod-annotation-validation.js";
import { validateOs } from "./pod-os-validation.js";
import { validateResourceRequirements } from "./resource-validation.js";
import { validateAffinity, validateTolerations, validateTopologySpreadConstraints } from "./scheduling-validation.js";
import { validatePodSecurityContext } from "./security-context-validation.js";
import { validateVolumes } from "./volume-validation.js";

const maxInt32 = 2147483647;
const maxSearchListCharacters = 2048;

/** The pod around a spec; none for a template's. */
export interface PodIdentity {
  readonly name: string;
}

/** A pod's host ports are its container ports; a template may leave them to the pod's defaults. */
function hostNetworkFaults(spec: PodSpec, path: string, pod: PodIdentity | undefined): FieldError[] {
  if (!spec.hostNetwork) return [];
  const words = "must match `containerPort` when `hostNetwork` is true";
  return (spec.containers ?? []).flatMap(({ ports }, index) =>
    (ports ?? []).flatMap(({ hostPort = 0, containerPort }, portIndex) =>
      (pod || hostPort !== 0) && hostPort !== containerPort
        ? [invalidValue(`${path}.containers[${index}].ports[${portIndex}].hostPort`, hostPort, words)]
        : [],
    ),
  );
}

function dnsConfigFaults({ dnsConfig, dnsPolicy }: PodSpec, path: string): FieldError[] {
  if (!dnsConfig) {
    return dnsPolicy === "None" ? [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")] : [];
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  if (dnsPolicy === "None" && nameservers.length === 0) {
    return [required(`${path}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
  }
  const faults: FieldError[] = [];
  if (nameservers.length > 3) {
    faults.push(invalidValue(`${path}.nameservers`, nameservers, "must not have more than 3 nameservers"));
  }
  for (const [index, server] of nameservers.entries()) {
    faults.push(...objections(`${path}.nameservers[${index}]`, server, isValidIP(server)));
  }
  if (searches.length > 32) {
    faults.push(invalidValue(`${path}.searches`, searches, "must not have more than 32 search paths"));
  }
  if (searches.join(" ").length > maxSearchListCharacters) {
    const words = `must not have more than ${maxSearchListCharacters} characters (including spaces) in the search list`;
    faults.push(invalidValue(`${path}.searches`, searches, words));
  }
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.replace(/\.$/, "");
    faults.push(...objections(`${path}.searches[${index}]`, name, isDNS1123SubdomainWithUnderscore(name)));
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) faults.push(required(`${path}.options[${index}]`, "must not be empty"));
  }
  return faults;
}

function schedulingGateFaults({ schedulingGates }: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>();
  return (schedulingGates ?? []).flatMap(({ name = "" }, index) => {
    const faults = objections(`${path}[${index}]`, name, isQualifiedName(name));
    if (seen.has(name)) faults.push(duplicate(`${path}[${index}]`, name));
    seen.add(name);
    return faults;
  });
}

/** A pod with users of its own shares nothing else of the host (upstream: validateHostUsers). */
function hostUsersFaults({ hostUsers, hostNetwork, hostPID, hostIPC }: PodSpec, path: string): FieldError[] {
  if (hostUsers !== false) return [];
  const words = "when `pod.Spec.HostUsers` is false";
  const shared = { hostNetwork, HostPID: hostPID, HostIPC: hostIPC };
  return Object.entries(shared).flatMap(([field, isShared]) =>
    isShared ? [forbiddenField(`${path}.${field}`, words)] : [],
  );
}

function nameFaults(spec: PodSpec, path: string): FieldError[] {
  const faults = subdomainIfSet(`${path}.serviceAccountName`, spec.serviceAccountName);
  faults.push(...subdomainIfSet(`${path}.nodeName`, spec.nodeName));
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined) {
    const range = { min: 1, max: maxInt32 };
    faults.push(...objections(`${path}.activeDeadlineSeconds`, deadline, isInRange(deadline, range)));
  }
  if (spec.hostname) faults.push(...objections(`${path}.hostname`, spec.hostname, isDNS1123Label(spec.hostname)));
  if (spec.subdomain) faults.push(...objections(`${path}.subdomain`, spec.subdomain, isDNS1123Label(spec.subdomain)));
  return faults;
}

function hostAliasFaults(spec: PodSpec, path: string): FieldError[] {
  return (spec.hostAliases ?? []).flatMap(({ ip = "", hostnames }, index) => [
    ...objections(`${path}[${index}].ip`, ip, isValidIP(ip)),
    ...(hostnames ?? []).flatMap((name, nameIndex) =>
      objections(`${path}[${index}].hostnames[${nameIndex}]`, name, isDNS1123Subdomain(name)),
    ),
  ]);
}

function classFaults(spec: PodSpec, path: string): FieldError[] {
  const { runtimeClassName, preemptionPolicy } = spec;
  const faults = subdomainIfSet(`${path}.priorityClassName`, spec.priorityClassName);
  if (runtimeClassName !== undefined) {
    faults.push(...objections(`${path}.runtimeClassName`, runtimeClassName, isDNS1123Subdomain(runtimeClassName)));
  }
  if (preemptionPolicy !== undefined) {
    faults.push(...oneOf(`${path}.preemptionPolicy`, preemptionPolicy, ["PreemptLowerPriority", "Never"]));
  }
  return faults;
}

/** A pod spec at a path such as "spec" or "spec.template.spec"; pod is given when it is a pod's own. */
export function validatePodSpec(spec: PodSpec, path: string, pod?: PodIdentity): FieldError[] {
  const { faults, valid } = validateVolumes(spec.volumes, `${path}.volumes`, pod?.name);
  const context = { spec, volumes: valid };
  return [
    ...faults,
    ...validateContainers(spec.containers, `${path}.containers`, context),
    ...validateInitContainers(spec.initContainers, `${path}.initContainers`, context),
    ...validateEphemeralContainers(spec.ephemeralContainers, `${path}.ephemeralContainers`, context),
    ...hostNetworkFaults(spec, path, pod),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...dnsConfigFaults(spec, `${path}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType = "" }, index) =>
      objections(`${path}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName(conditionType)),
    ),
    ...schedulingGateFaults(spec, `${path}.schedulingGates`),
    ...validateTopologySpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...hostUsersFaults(spec, path),
    ...nameFaults(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...hostAliasFaults(spec, `${path}.hostAliases`),
    ...classFaults(spec, path),
    ...(spec.overhead ? validateResourceRequirements({ limits: spec.overhead }, `${path}.overhead`) : []),
    ...validateOs(spec, path),
  ];
}

/** A pod template at a path such as "spec.template". */
export function validatePodTemplateSpec(template: PodTemplateSpec | undefined, path: string): FieldError[] {
  const spec = template?.spec ?? { containers: [] };
  const metadata = template?.metadata;
  const faults = [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validatePodAnnotations(metadata?.annotations, spec, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`),
    ...validateProfileAnnotations(metadata?.annotations, spec, `${path}.spec`),
  ];
  const words = "ephemeral containers not allowed in pod template";
  const isForbidden = (spec.ephemeralContainers ?? []).length > 0;
  return isForbidden ? [...faults, forbiddenField(`${path}.spec.ephemeralContainers`, words)] : faults;
}
