// Which fields of a KubeProxyConfiguration this kube-proxy reads and has no use for, so that whoever sets them is told.
// Pure.

import { defaultConfiguration, type KubeProxyConfiguration } from "./configuration.js";

/** Field → why nothing follows from it. */
const reasons: Readonly<Record<string, string>> = {
  "clientConnection.acceptContentTypes": "answers are asked for in JSON",
  "clientConnection.contentType": "requests are JSON",
  configSyncPeriod: "watches bring every change; nothing is refreshed by time",
  enableProfiling: "there is no Go runtime to profile; node --inspect does it",
  featureGates: "no gate switches anything here",
  ipvs: "there is no ipvs mode",
  logging: "-v and --logging-format say how to log",
  nftables: "there is no nftables mode",
  portRange: "it was of the userspace mode, which is gone",
  showHiddenMetricsForVersion: "no metric is hidden",
  windowsRunAsService: "this is not Windows",
  winkernel: "this is not Windows",
};

/** What common files write there means the same as saying nothing. */
const harmless: Readonly<Record<string, readonly string[]>> = {
  "clientConnection.contentType": ["application/json"],
};

/** Each field that says something else than its default, with the reason why nothing follows. */
export function fieldsWithoutEffect(configuration: KubeProxyConfiguration): { field: string; reason: string }[] {
  const defaults = defaultConfiguration();
  const valueAt = (of: KubeProxyConfiguration, field: string) =>
    field.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], of);
  return Object.entries(reasons).flatMap(([field, reason]) => {
    const value = valueAt(configuration, field);
    const isPlain = harmless[field]?.includes(String(value)) || isEmpty(value);
    return isPlain || JSON.stringify(value) === JSON.stringify(valueAt(defaults, field)) ? [] : [{ field, reason }];
  });
}

// kubeadm and others write sections out with zeroes in every field.
function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).every(isEmpty);
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    value === 0 ||
    value === false ||
    value === "0s" ||
    value === "0"
  );
}
