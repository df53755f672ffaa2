// What a fieldRef or a resourceFieldRef stands for: upstream's pkg/fieldpath and api/v1/resource. Pure.

import type { Container, Node, Pod, ResourceFieldSelector } from "@picokube/api/core/v1";
import { parseQuantity } from "@picokube/api/quantity";

/** Go's %q for the strings that labels and annotations can hold. */
function quoted(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([0-9a-f]{2})/g, "\\x$1")
    .replaceAll("\\b", "\\b");
}

function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${quoted(map![key]!)}`)
    .join("\n");
}

/** The metadata part: what volumes may use too. Throws on a path that upstream does not know. */
export function metadataFieldValue(pod: Pod, fieldPath: string): string {
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(fieldPath);
  if (subscript) {
    const map = subscript[1] === "metadata.labels" ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[subscript[2]!] ?? "";
  }
  switch (fieldPath) {
    case "metadata.annotations":
      return formatMap(pod.metadata.annotations);
    case "metadata.labels":
      return formatMap(pod.metadata.labels);
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid;
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** A fieldRef of an environment variable. */
export function podFieldValue(
  pod: Pod,
  fieldPath: string,
  { nodeName, podIps, hostIps }: { nodeName: string; podIps: readonly string[]; hostIps: readonly string[] },
): string {
  switch (fieldPath) {
    case "spec.nodeName":
      return pod.spec?.nodeName ?? nodeName;
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return hostIps[0] ?? "";
    case "status.hostIPs":
      return hostIps.join(",");
    case "status.podIP":
      return podIps[0] ?? "";
    case "status.podIPs":
      return podIps.join(",");
    default:
      return metadataFieldValue(pod, fieldPath);
  }
}

function divideUp(value: number, divisor: number): string {
  return String(Math.ceil(value / divisor));
}

/** A resourceFieldRef; limits of cpu and memory that are not set are the node's allocatable. */
export function resourceFieldValue(
  container: Pick<Container, "name" | "resources">,
  { resource, divisor }: Pick<ResourceFieldSelector, "resource" | "divisor">,
  node: Node | undefined,
): string {
  const [section, ...rest] = resource.split(".");
  const name = rest.join(".");
  const known = name === "cpu" || name === "memory" || name === "ephemeral-storage" || name.startsWith("hugepages-");
  if ((section !== "limits" && section !== "requests") || !known) {
    throw new Error(`unsupported container resource : ${resource}`);
  }
  const own = container.resources?.[section]?.[name];
  let quantity = parseQuantity(own ?? "0");
  if (section === "limits" && quantity.isZero) {
    const allocatable = node?.status?.allocatable?.[name];
    if (allocatable !== undefined) quantity = parseQuantity(allocatable);
  }
  const by = parseQuantity(divisor ?? "0");
  if (name === "cpu") {
    const milli = by.milliValue();
    return divideUp(quantity.milliValue(), milli === 0 ? 1000 : milli);
  }
  const whole = by.value();
  return divideUp(quantity.value(), whole === 0 ? 1 : whole);
}
