// Pod specs and pod templates, in upstream's order (upstream: ValidatePodSpec, ValidatePodTemplateSpec). Pure.

import type { PodSpec, PodTemplateSpec } from "@picokube/api/core/v1";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isValidIP } from "@picokube/api/validation/ip";
import { isDNS1123Label, isDNS1123Subdomain, isInRange, isQualifiedName } from "@picokube/api/validation/names";
import { objections, oneOf, oneOfIfSet, subdomainIfSet } from "../check.js";
import { validateLabels } from "../label-validation.js";
import { validateContainers, validateEphemeralContainers, validateInitContainers } from "./container-validation.js";
import { validateAffinity, validateTolerations, validateTopologySpreadConstraints } from "./scheduling-validation.js";
import { validateVolumes } from "./volume-validation.js";

const maxInt32 = 2147483647;

function hostNetworkFaults(spec: PodSpec, path: string): FieldError[] {
  if (!spec.hostNetwork) return [];
  return (spec.containers ?? []).flatMap(({ ports }, index) =>
    (ports ?? []).flatMap(({ hostPort, containerPort }, portIndex) =>
      hostPort && hostPort !== containerPort
        ? [
            invalidValue(
              `${path}.containers[${index}].ports[${portIndex}].containerPort`,
              containerPort,
              "must match `hostPort` when `hostNetwork` is true",
            ),
          ]
        : [],
    ),
  );
}

function securityContextFaults(spec: PodSpec, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const { runAsUser, runAsGroup, fsGroup, supplementalGroups } = spec.securityContext ?? {};
  const range = { min: 0, max: maxInt32 };
  if (fsGroup !== undefined) faults.push(...objections(`${path}.fsGroup`, fsGroup, isInRange(fsGroup, range)));
  if (runAsUser !== undefined) faults.push(...objections(`${path}.runAsUser`, runAsUser, isInRange(runAsUser, range)));
  if (runAsGroup !== undefined) {
    faults.push(...objections(`${path}.runAsGroup`, runAsGroup, isInRange(runAsGroup, range)));
  }
  for (const [index, group] of (supplementalGroups ?? []).entries()) {
    faults.push(...objections(`${path}.supplementalGroups[${index}]`, group, isInRange(group, range)));
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    const words = "ShareProcessNamespace and HostPID cannot both be enabled";
    faults.push(invalidValue(`${path}.shareProcessNamespace`, spec.shareProcessNamespace, words));
  }
  return faults;
}

function dnsConfigFaults(spec: PodSpec, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  if (spec.dnsPolicy === "None" && nameservers.length === 0) {
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
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    faults.push(...objections(`${path}.searches[${index}]`, search, isDNS1123Subdomain(search.replace(/\.$/, ""))));
  }
  for (const [index, option] of options.entries()) {
    if (!option.name) faults.push(required(`${path}.options[${index}]`, "must not be empty"));
  }
  return faults;
}

function nameFaults(spec: PodSpec, path: string): FieldError[] {
  const faults = subdomainIfSet(`${path}.serviceAccountName`, spec.serviceAccountName);
  faults.push(...subdomainIfSet(`${path}.nodeName`, spec.nodeName));
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined) {
    faults.push(
      ...objections(`${path}.activeDeadlineSeconds`, deadline, isInRange(deadline, { min: 1, max: maxInt32 })),
    );
  }
  if (spec.hostname) faults.push(...objections(`${path}.hostname`, spec.hostname, isDNS1123Label(spec.hostname)));
  if (spec.subdomain) faults.push(...objections(`${path}.subdomain`, spec.subdomain, isDNS1123Label(spec.subdomain)));
  return faults;
}

function hostAliasFaults(spec: PodSpec, path: string): FieldError[] {
  return (spec.hostAliases ?? []).flatMap(({ ip, hostnames }, index) => [
    ...objections(`${path}[${index}].ip`, ip, isValidIP(ip)),
    ...(hostnames ?? []).flatMap((name, nameIndex) =>
      objections(`${path}[${index}].hostnames[${nameIndex}]`, name, isDNS1123Subdomain(name)),
    ),
  ]);
}

/** A pod spec at a path such as "spec" or "spec.template.spec". */
export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const pod = {
    volumes: spec.volumes ?? [],
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    containers,
    initContainers,
  };
  const faults = [
    ...validateVolumes(spec.volumes, `${path}.volumes`),
    ...validateContainers(containers, `${path}.containers`, pod),
    ...validateInitContainers(initContainers, `${path}.initContainers`, pod),
    ...validateEphemeralContainers(spec.ephemeralContainers, `${path}.ephemeralContainers`, pod),
    ...hostNetworkFaults(spec, path),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...securityContextFaults(spec, `${path}.securityContext`),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }, index) =>
      name ? [] : [required(`${path}.imagePullSecrets[${index}].name`)],
    ),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...dnsConfigFaults(spec, `${path}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      objections(`${path}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName(conditionType ?? "")),
    ),
    ...(spec.schedulingGates ?? []).flatMap(({ name }, index) =>
      objections(`${path}.schedulingGates[${index}]`, name, isQualifiedName(name ?? "")),
    ),
    ...validateTopologySpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...nameFaults(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...hostAliasFaults(spec, `${path}.hostAliases`),
    ...subdomainIfSet(`${path}.priorityClassName`, spec.priorityClassName),
    ...subdomainIfSet(`${path}.runtimeClassName`, spec.runtimeClassName),
    ...oneOfIfSet(`${path}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]),
  ];
  if (spec.os) faults.push(...oneOf(`${path}.os.name`, spec.os.name, ["linux", "windows"]));
  return faults;
}

/** The annotations of a template: their keys. */
export function validateAnnotations(
  annotations: { readonly [key: string]: string } | undefined,
  path: string,
): FieldError[] {
  return Object.keys(annotations ?? {}).flatMap((key) => objections(path, key, isQualifiedName(key.toLowerCase())));
}

/** A pod template at a path such as "spec.template". */
export function validatePodTemplateSpec(template: PodTemplateSpec | undefined, path: string): FieldError[] {
  return [
    ...validateLabels(template?.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template?.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(template?.spec ?? { containers: [] }, `${path}.spec`),
  ];
}
