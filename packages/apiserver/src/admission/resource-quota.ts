// ResourceQuota: refuses what would go beyond a namespace's quota. What is used is counted from the objects themselves,
// together with what this server has let through and not yet seen come back; status.used is the controller's to write.

import { type Pod, type ResourceQuota, resourcequotas } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { Quantity } from "@picokube/api/quantity";
import { quotaCovers, unnamedResources } from "@picokube/api/quota-scope";
import { concernsQuota, type Usage, usageOf } from "@picokube/api/quota-usage";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden } from "./forbidden.js";
import { createPendingObjects } from "./pending-objects.js";

/** Kinds whose updates can ask for more. */
const GROWING = new Set(["services", "persistentvolumeclaims"]);

const listed = (amounts: ReadonlyMap<string, Quantity>, names: readonly string[]): string =>
  names.map((name) => `${name}=${amounts.get(name) ?? Quantity.zero}`).join(",");

/** How much more is asked for than before; nothing where it is less. */
function increase(now: Usage, before: Usage): Usage {
  const grown: Usage = new Map();
  for (const [name, amount] of now) {
    const more = amount.sub(before.get(name) ?? Quantity.zero);
    if (more.sign > 0) grown.set(name, more);
  }
  return grown;
}

function hardOf({ spec }: ResourceQuota): Map<string, Quantity> {
  const hard = (spec?.hard ?? {}) as { [name: string]: string };
  return new Map(Object.entries(hard).map(([name, text]) => [name, Quantity.parse(text)]));
}

export function resourceQuota(storage: StorageRegistry, now: () => number = Date.now): AdmissionPlugin {
  const pending = createPendingObjects({ storage, now });

  function used(quota: ResourceQuota, attributes: AdmissionAttributes, names: readonly string[]): Usage {
    const { namespace, resource } = attributes;
    const nowMs = now();
    const sum: Usage = new Map(names.map((name) => [name, Quantity.zero]));
    const stored = storage.find(resource)?.list(namespace) ?? [];
    for (const object of [...stored, ...pending.of(resource, namespace)]) {
      if (!quotaCovers(quota, resource, object)) continue;
      const usage = usageOf(resource, object, { nowMs });
      for (const name of names) {
        const amount = usage.get(name);
        if (amount) sum.set(name, sum.get(name)!.add(amount));
      }
    }
    return sum;
  }

  function check(quota: ResourceQuota, attributes: AdmissionAttributes, object: KubernetesObject): void {
    const { resource, oldObject } = attributes;
    const hard = hardOf(quota);
    if (!concernsQuota(resource, [...hard.keys()]) || !quotaCovers(quota, resource, object)) return;
    const { name } = quota.metadata;
    if (resource.group === "" && resource.resource === "pods") {
      const unnamed = unnamedResources(object as Pod, [...hard.keys()]);
      if (unnamed.length > 0) {
        throw admissionForbidden(attributes, `failed quota: ${name}: must specify ${unnamed.join("; ")}`);
      }
    }
    const nowMs = now();
    const usage = usageOf(resource, object, { nowMs });
    const negative = [...usage].filter(([, amount]) => amount.sign < 0).map(([bound]) => bound);
    if (negative.length > 0) {
      throw admissionForbidden(attributes, `quota usage is negative for resource(s): ${negative.sort().join(",")}`);
    }
    const asked = increase(usage, oldObject ? usageOf(resource, oldObject, { nowMs }) : new Map());
    const names = [...asked.keys()].filter((bound) => hard.has(bound)).sort();
    if (names.length === 0) return;
    const current = used(quota, attributes, names);
    const exceeded = names.filter((bound) => current.get(bound)!.add(asked.get(bound)!).compare(hard.get(bound)!) > 0);
    if (exceeded.length === 0) return;
    throw admissionForbidden(
      attributes,
      `exceeded quota: ${name}, requested: ${listed(asked, exceeded)}, used: ${listed(current, exceeded)}, limited: ${listed(hard, exceeded)}`,
    );
  }

  return {
    name: "ResourceQuota",
    validate(attributes) {
      const { operation, namespace, subresource, object, resource, dryRun } = attributes;
      if (namespace === "" || !object) return;
      const isResize = resource.group === "" && resource.resource === "pods" && subresource === "resize";
      if (subresource !== "" && !isResize) return;
      const mayGrow = isResize || (resource.group === "" && GROWING.has(resource.resource));
      if (operation !== "CREATE" && !(operation === "UPDATE" && mayGrow)) return;
      const quotas = storage.for(resourcequotas).list(namespace);
      if (quotas.length === 0) return;
      const byName = [...quotas].sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
      for (const quota of byName) check(quota, attributes, object);
      if (operation === "CREATE" && !dryRun) pending.add(resource, namespace, object);
    },
  };
}
