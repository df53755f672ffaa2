// Which labels a kubelet may put on its own Node (upstream: kubeletapis and NodeRestriction). Pure.

const ALLOWED = new Set([
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
]);
const ALLOWED_NAMESPACES = ["kubelet.kubernetes.io", "node.kubernetes.io"];

const within = (namespace: string, domain: string) => namespace === domain || namespace.endsWith(`.${domain}`);

/** Whether only an administrator may set the label. */
export function isRestrictedNodeLabel(label: string): boolean {
  const slash = label.indexOf("/");
  if (slash < 0) return false;
  const namespace = label.slice(0, slash);
  if (within(namespace, "node-restriction.kubernetes.io")) return true;
  if (!within(namespace, "kubernetes.io") && !within(namespace, "k8s.io")) return false;
  return !ALLOWED.has(label) && !ALLOWED_NAMESPACES.some((allowed) => within(namespace, allowed));
}

/** The restricted labels that differ between two sets, in order. */
export function changedRestrictedLabels(
  labels: { readonly [key: string]: string } = {},
  old: { readonly [key: string]: string } = {},
): string[] {
  const keys = new Set([...Object.keys(labels), ...Object.keys(old)]);
  return [...keys].filter((key) => labels[key] !== old[key] && isRestrictedNodeLabel(key)).sort();
}
