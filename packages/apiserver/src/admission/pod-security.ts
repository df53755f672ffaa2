// PodSecurity: holds pods to the level that their namespace's labels name, warns about templates that would not pass, and
// tells who changes a namespace's level which pods would not (upstream: k8s.io/pod-security-admission/admission). Levels
// and labels stand in pod-security-policy.ts. The audit mode speaks in annotations of the audit event.

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

/** Upstream: AuditAnnotationPrefix. */
function annotate(attributes: AdmissionAttributes, key: string, value: string): void {
  attributes.annotate?.(`pod-security.kubernetes.io/${key}`, value);
}

export function podSecurity(
  storage: StorageRegistry,
  { defaults, exemptions }: PodSecurityConfiguration = defaultPodSecurity,
): AdmissionPlugin {
  const isExemptClass = (name: string | undefined) => !!name && exemptions.runtimeClasses.includes(name);
  /** By what it is let through unchecked; the audit event names it. */
  const isExempt = (attributes: AdmissionAttributes, runtimeClassName: string | undefined) => {
    const { namespace, user } = attributes;
    const by = exemptions.namespaces.includes(namespace)
      ? "namespace"
      : exemptions.usernames.includes(user.name)
        ? "user"
        : isExemptClass(runtimeClassName)
          ? "runtimeClass"
          : undefined;
    if (by) annotate(attributes, "exempt", by);
    return by !== undefined;
  };
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

  function tellOf(attributes: AdmissionAttributes, { metadata, spec }: Template, { warn, audit }: Policy): void {
    if (!spec) return;
    const checked = { annotations: metadata?.annotations, spec };
    const [audited, warned] = [violationWords(checked, audit), violationWords(checked, warn)];
    if (audited) annotate(attributes, "audit-violations", `would violate ${audited}`);
    if (warned) attributes.warn(`would violate ${warned}`);
  }

  function validatePod(attributes: AdmissionAttributes): void {
    const { metadata, spec } = attributes.object as Pod;
    if (!spec || isHarmlessUpdate(attributes) || isExempt(attributes, spec.runtimeClassName)) return;
    const policy = policyIn(attributes.namespace);
    annotate(attributes, "enforce-policy", `${policy.enforce.level}:${policy.enforce.version}`);
    const words = violationWords({ annotations: metadata.annotations, spec }, policy.enforce);
    const template = { metadata: metadata as Template["metadata"] & object, spec };
    // Who is refused needs no warning.
    tellOf(words ? { ...attributes, warn: () => {} } : attributes, template, policy);
    if (words) throw admissionForbidden(attributes, `violates ${words}`);
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
      if (subresource !== "" || !TEMPLATED.has(`${resource.group}/${resource.resource}`)) return;
      const template = templateOf(object);
      if (!template || isExempt(attributes, template.spec?.runtimeClassName)) return;
      tellOf(attributes, template, policyIn(attributes.namespace));
    },
  };
}
