// VolumeZone: a volume that is labelled with a zone or region is reached only from nodes of it.

import type { PersistentVolume } from "@picokube/api/core/v1";
import { claimNameOf } from "@picokube/api/core/volume-claims";
import type { Labels } from "@picokube/api/selectors/labels";
import type { Plugin } from "../framework/plugin.js";
import type { VolumeLookups } from "../framework/volume-lookups.js";
import { usesClaim } from "./volume-binding.js";

const CONFLICT = "node(s) had no available volume zone";
/** Each label and the name it had before, or has now. */
const KEYS: Readonly<Record<string, string>> = {
  "topology.kubernetes.io/zone": "failure-domain.beta.kubernetes.io/zone",
  "topology.kubernetes.io/region": "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
};

interface Topology {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}

/** Several zones stand in one label, "a__b". Upstream's LabelZonesToSet. */
function topologiesOf({ metadata }: PersistentVolume): Topology[] {
  return Object.keys(KEYS).flatMap((key) => {
    const value = metadata.labels?.[key];
    return value === undefined ? [] : [{ key, values: new Set(value.split("__")) }];
  });
}

function isIn(labels: NonNullable<Labels>, { key, values }: Topology): boolean {
  const value = labels[key] ?? labels[KEYS[key]!];
  return value !== undefined && values.has(value);
}

export function volumeZone(lookups: VolumeLookups): Plugin<readonly Topology[]> {
  return {
    name: "VolumeZone",
    preFilter({ pod }) {
      const topologies: Topology[] = [];
      for (const each of pod.spec?.volumes ?? []) {
        const claim = lookups.claim(pod.metadata.namespace ?? "", claimNameOf(pod, each) ?? "");
        const name = claim?.spec?.volumeName;
        if (!name) continue;
        const volume = lookups.volume(name);
        if (!volume) return { reject: { reasons: [`persistentvolume "${name}" not found`], unresolvable: true } };
        topologies.push(...topologiesOf(volume));
      }
      return topologies.length === 0 ? "skip" : { state: topologies };
    },
    filter(_, { labels }, topologies) {
      const known = Object.keys(KEYS).some((key) => labels[key] !== undefined);
      if (!known || topologies.every((topology) => isIn(labels, topology))) return undefined;
      return { reasons: [CONFLICT], unresolvable: true };
    },
    mayHelp({ pod }, event) {
      if (event.resource === "node" || event.resource === "storageClass") return true;
      if (event.resource === "claim") return event.current !== undefined && usesClaim(pod, event.current);
      return event.resource === "volume" && event.current !== undefined;
    },
  };
}
