// PodSecurity: holds pods to the level that their namespace's labels name, warns about templates that would not pass, and
// tells who changes a namespace's level which pods would not (upstream: k8s.io/pod-security-admission/admission). Levels
// and labels stand in pod-security-policy.ts. The audit mode has no audit log to write to: its labels are checked only.

import { namespaces, type Pod, type PodSpec, pods } from "@picokube/api/core/v1";
import { invalid } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";
import { defaultPodSecurity, type PodSecurityConfiguration } from "./pod-security-config.js";
import { namespaceWarnings } from "./pod-security-namespace.js";
import { compareLevels, type Policy, policyOf, violationWords } from "./pod-security-policy.js";

const TEMPLATED = new Set([
  "/replicationcontrollers",
  "/podtemplates",
  "apps/replicasets",
  "apps/deployments",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
]);

/** Every other one carries a pod and may change it. */
const HARMLESS_SUBRESOURCES = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);

interface Template {
  metadata?: { annotations?: { [key: string]: string } };
  spec?: PodSpec;
}

function templateOf(object: KubernetesObject): Template | undefined {
  const { spec, template } = object as {
    spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } };
    template?: Template;
  };
  return spec?.template ?? spec?.jobTemplate?.spec?.template ?? template;
}

/** Whether an update changes nothing that the checks look at. */
function isHarmlessUpdate({ operation, object, oldObject }: AdmissionAttributes): boolean {
  if (operation !== "UPDATE") return false;
  const relevant = (pod: Pod) =>
    JSON.stringify([pod.spec?.containers, pod.spec?.initContainers, pod.spec?.ephemeralContainers]);
  return relevant(object as Pod) === relevant(oldObject as Pod);
}

export function podSecurity(
  storage: StorageRegistry,
  { defaults, exemptions }: PodSecurityConfiguration = defaultPodSecurity,
): AdmissionPlugin {
  const isExempt = ({ namespace, user }: AdmissionAttributes) =>
    exemptions.namespaces.includes(namespace) || exemptions.usernames.includes(user.name);
  const isExemptClass = (name: string | undefined) => !!name && exemptions.runtimeClasses.includes(name);
  const policyIn = (namespace: string): Policy =>
    policyOf(storage.for(namespaces).get("", namespace)?.metadata.labels, defaults).policy;

  function validateNamespace(attributes: AdmissionAttributes): void {
    const { operation, object, oldObject, subresource } = attributes;
    if (subresource !== "" || !object) return;
    const { policy, faults } = policyOf(object.metadata.labels, defaults);
    const old = operation === "UPDATE" ? policyOf(oldObject?.metadata.labels, defaults) : undefined;
    const known = new Set(old?.faults.map(({ field, message }) => field + message));
    if (faults.length > 0 && (faults.length !== known.size || faults.some((f) => !known.has(f.field + f.message)))) {
      throw invalid(attributes.kind, object.metadata.name, faults);
    }
    if (!old) return;
    const { level, version } = policy.enforce;
    const before = old.policy.enforce;
    const isLaxer = version === before.version && compareLevels(level, before.level) <= 0;
    const { name } = object.metadata;
    if (level === "privileged" || isLaxer || exemptions.namespaces.includes(name)) return;
    const checked = storage
      .for(pods)
      .list(name)
      .filter(({ spec }) => !isExemptClass(spec?.runtimeClassName));
    for (const warning of namespaceWarnings(name, checked, policy.enforce)) attributes.warn(warning);
  }

  function warnAbout(attributes: AdmissionAttributes, template: Template, { warn }: Policy): void {
    if (!template.spec || isExemptClass(template.spec.runtimeClassName)) return;
    const words = violationWords({ annotations: template.metadata?.annotations, spec: template.spec }, warn);
    if (words) attributes.warn(`would violate ${words}`);
  }

  function validatePod(attributes: AdmissionAttributes): void {
    const { metadata, spec } = attributes.object as Pod;
    if (!spec || isExempt(attributes) || isHarmlessUpdate(attributes) || isExemptClass(spec.runtimeClassName)) return;
    const policy = policyIn(attributes.namespace);
    const words = violationWords({ annotations: metadata.annotations, spec }, policy.enforce);
    if (words) throw admissionForbidden(attributes, `violates ${words}`);
    warnAbout(attributes, { metadata: metadata as Template["metadata"] & object, spec }, policy);
  }

  return {
    name: "PodSecurity",
    validate(attributes) {
      const { object, operation, resource, subresource } = attributes;
      if (!object || (operation !== "CREATE" && operation !== "UPDATE")) return;
      if (concerns(attributes, namespaces)) return validateNamespace(attributes);
      if (resource.group === pods.group && resource.resource === pods.resource) {
        if (!HARMLESS_SUBRESOURCES.has(subresource)) validatePod(attributes);
        return;
      }
      if (subresource !== "" || !TEMPLATED.has(`${resource.group}/${resource.resource}`) || isExempt(attributes))
        return;
      const template = templateOf(object);
      if (template) warnAbout(attributes, template, policyIn(attributes.namespace));
    },
  };
}
