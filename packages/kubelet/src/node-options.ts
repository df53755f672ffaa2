// What a node is registered with: its name and addresses, the labels that a kubelet may give it, its taints, its cloud
// provider, in upstream's words where they are wrong. Pure.

import { isQualifiedName, isValidLabelValue } from "@picokube/api/validation/names";
import { ConfigError } from "@picokube/component-base/config-error";

export interface RegistrationTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const allowedNamespaces = ["kubelet.kubernetes.io", "node.kubernetes.io"];

/** Upstream's KubeletLabels: those of Kubernetes' own namespaces that a kubelet may set, sorted. */
const allowedLabels = [
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "kubernetes.io/arch",
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
];

const within = (namespace: string, domain: string) => namespace === domain || namespace.endsWith(`.${domain}`);

function isForeign(label: string): boolean {
  const namespace = label.includes("/") ? label.split("/")[0]! : "";
  if (!within(namespace, "kubernetes.io") && !within(namespace, "k8s.io")) return false;
  return !allowedLabels.includes(label) && !allowedNamespaces.some((allowed) => within(namespace, allowed));
}

/** Upstream's ValidateKubeletFlags of --node-labels. Throws ConfigError. */
export function validateNodeLabels(labels: Readonly<Record<string, string>>): void {
  const foreign = Object.keys(labels).filter(isForeign).sort();
  if (foreign.length > 0) {
    throw new ConfigError(
      `unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [${foreign.join(" ")}]\n` +
        `--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix (${allowedNamespaces.join(", ")}) or be in the specifically allowed set (${allowedLabels.join(", ")})`,
    );
  }
  const wrong = Object.entries(labels).flatMap(([key, value]) => [
    ...isQualifiedName(key).map((objection) => `'${key}' - ${objection}`),
    ...isValidLabelValue(value).map((objection) => `'${value}' - ${objection}`),
  ]);
  if (wrong.length > 0) throw new ConfigError(`invalid node labels: ${wrong.join("; ")}`);
}

const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** "key=value:Effect" or "key:Effect": upstream's ParseTaints. Throws ConfigError. */
export function parseTaint(text: string): RegistrationTaint {
  const [pair = "", effect = "", ...more] = text.split(":");
  const [key = "", value, ...rest] = pair.split("=");
  const fail = (words: string): never => {
    throw new ConfigError(`invalid argument ${JSON.stringify(text)} for "--register-with-taints" flag: ${words}`);
  };
  if (more.length > 0 || rest.length > 0 || key === "" || effect === "") fail(`invalid taint spec: ${text}`);
  if (!taintEffects.includes(effect)) fail(`invalid taint effect: ${effect}, unsupported taint effect`);
  const objections = [...isQualifiedName(key), ...isValidLabelValue(value ?? "")];
  if (objections.length > 0) fail(`invalid taint spec: ${text}, ${objections.join("; ")}`);
  return value ? { key, value, effect } : { key, effect };
}

/** Taints of --register-with-taints; no two may have one key and effect. Throws ConfigError. */
export function parseTaints(texts: readonly string[]): RegistrationTaint[] {
  const seen = new Set<string>();
  return texts.map((text) => {
    const taint = parseTaint(text);
    const identity = `${taint.key}:${taint.effect}`;
    if (seen.has(identity)) {
      throw new ConfigError(
        `invalid argument ${JSON.stringify(texts.join(","))} for "--register-with-taints" flag: duplicated taints with the same key and effect: ${JSON.stringify(taint)}`,
      );
    }
    seen.add(identity);
    return taint;
  });
}

/** registerWithTaints of the file. Throws ConfigError. */
export function checkedTaints(taints: unknown): RegistrationTaint[] {
  if (taints === undefined || taints === null) return [];
  if (!Array.isArray(taints)) throw new ConfigError("invalid configuration: registerWithTaints: must be a list");
  return (taints as RegistrationTaint[]).map((taint) => {
    const { key, value = "", effect } = taint ?? {};
    if (typeof key !== "string" || !taintEffects.includes(effect) || isQualifiedName(key).length > 0) {
      throw new ConfigError(`invalid taint: ${JSON.stringify(taint)}`);
    }
    return value === "" ? { key, effect } : { key, value, effect };
  });
}

/** Whether a cloud controller manager completes this node. Throws ConfigError for a provider that were built in. */
export function isExternalCloud(provider: string): boolean {
  if (provider === "" || provider === "external") return provider === "external";
  throw new ConfigError(
    `cloud provider ${JSON.stringify(provider)} was specified, but built-in cloud providers are disabled. Please set --cloud-provider=external and migrate to an external cloud provider`,
  );
}

/** Those of --node-ip; none for 0.0.0.0, which asks for the default route's. Throws ConfigError in ParseNodeIPArgument's words. */
export function givenNodeIps(nodeIps: readonly string[]): readonly string[] {
  const isFourth = (ip: string | undefined) => ip?.includes(".") === true;
  if (nodeIps.length > 2 || (nodeIps.length === 2 && isFourth(nodeIps[0]) === isFourth(nodeIps[1]))) {
    const given = JSON.stringify(nodeIps.join(","));
    throw new ConfigError(`bad --node-ip ${given}: must contain either a single IP or a dual-stack pair of IPs`);
  }
  return nodeIps.length === 1 && nodeIps[0] === "0.0.0.0" ? [] : nodeIps;
}

/** A host's name as a node's: upstream's GetHostname. Throws ConfigError. */
export function nodeNameOf(host: string): string {
  const name = host.trim().toLowerCase();
  if (name === "") throw new ConfigError("empty hostname is invalid");
  return name;
}
