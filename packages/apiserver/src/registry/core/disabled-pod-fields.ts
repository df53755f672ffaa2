// Fields of pods and pod templates whose feature gates 1.33 leaves off: image volumes, cluster trust bundles, dynamic
// resources, pod-level resources, stop signals. They go from what is written unless the object has them already. Mirrors
// upstream's pkg/api/pod (dropDisabledFields). Changes what it is given.

import type { Container, EphemeralContainer, PodSpec, Volume } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";

interface WithTemplate {
  readonly template?: { readonly spec?: PodSpec };
}

type WithSpec<Spec> = { readonly spec?: Spec };
type PodSpecOf = (object: KubernetesObject) => PodSpec | undefined;

const ofTemplate: PodSpecOf = (object) => (object as WithSpec<WithTemplate>).spec?.template?.spec;
const ofJobTemplate: PodSpecOf = (object) =>
  (object as WithSpec<{ readonly jobTemplate?: WithSpec<WithTemplate> }>).spec?.jobTemplate?.spec?.template?.spec;

const podSpecs: Readonly<Record<string, PodSpecOf>> = {
  "/pods": (object) => (object as WithSpec<PodSpec>).spec,
  "/podtemplates": (object) => (object as WithTemplate).template?.spec,
  "/replicationcontrollers": ofTemplate,
  "apps/daemonsets": ofTemplate,
  "apps/deployments": ofTemplate,
  "apps/replicasets": ofTemplate,
  "apps/statefulsets": ofTemplate,
  "batch/jobs": ofTemplate,
  "batch/cronjobs": ofJobTemplate,
};

/** Where the objects of a resource have a pod spec; undefined for kinds that have none. */
export function podSpecOf({ group, resource }: { group: string; resource: string }): PodSpecOf | undefined {
  return podSpecs[`${group}/${resource}`];
}

type AnyContainer = Container | EphemeralContainer;

const containersOf = ({ containers, initContainers, ephemeralContainers }: PodSpec): AnyContainer[] => [
  ...(containers ?? []),
  ...(initContainers ?? []),
  ...(ephemeralContainers ?? []),
];
const hasImage = ({ image }: Volume) => image !== undefined;
const usesImages = (spec: PodSpec) => spec.volumes?.some(hasImage) === true;

/** With their mounts: the pod runs without them. */
function dropImageVolumes(spec: PodSpec): void {
  const names = new Set(spec.volumes!.filter(hasImage).map(({ name }) => name));
  spec.volumes = spec.volumes!.filter((volume) => !hasImage(volume));
  for (const container of containersOf(spec)) {
    if (container.volumeMounts) {
      container.volumeMounts = container.volumeMounts.filter(({ name }) => !names.has(name));
    }
  }
}

const projections = ({ volumes }: PodSpec) => (volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
const usesTrustBundles = (spec: PodSpec) =>
  projections(spec).some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined);

/** The empty source stays: nothing is projected from it. */
function dropTrustBundles(spec: PodSpec): void {
  for (const source of projections(spec)) delete source.clusterTrustBundle;
}

const usesResourceClaims = (spec: PodSpec) =>
  spec.resourceClaims !== undefined || containersOf(spec).some(({ resources }) => resources?.claims !== undefined);

function dropResourceClaims(spec: PodSpec): void {
  delete spec.resourceClaims;
  for (const { resources } of containersOf(spec)) delete resources?.claims;
}

const stopSignalOf = ({ lifecycle }: AnyContainer) => (lifecycle as { stopSignal?: string } | undefined)?.stopSignal;
const usesStopSignals = (spec: PodSpec) =>
  containersOf(spec).some((container) => stopSignalOf(container) !== undefined);

function dropStopSignals(spec: PodSpec): void {
  for (const container of containersOf(spec)) {
    if (stopSignalOf(container) === undefined) continue;
    delete (container.lifecycle as { stopSignal?: string }).stopSignal;
    if (Object.keys(container.lifecycle!).length === 0) delete container.lifecycle;
  }
}

interface Gate {
  readonly isUsed: (spec: PodSpec) => boolean;
  readonly drop: (spec: PodSpec) => void;
}

const gates: readonly Gate[] = [
  // ImageVolume
  { isUsed: usesImages, drop: dropImageVolumes },
  // ClusterTrustBundleProjection
  { isUsed: usesTrustBundles, drop: dropTrustBundles },
  // DynamicResourceAllocation
  { isUsed: usesResourceClaims, drop: dropResourceClaims },
  // PodLevelResources
  { isUsed: (spec) => "resources" in spec, drop: (spec) => delete (spec as { resources?: unknown }).resources },
  // ContainerStopSignals
  { isUsed: usesStopSignals, drop: dropStopSignals },
];

/** Drops what is not in use by the old spec, if there is one. */
export function dropDisabledPodFields(spec: PodSpec | undefined, old?: PodSpec): void {
  if (!spec) return;
  for (const { isUsed, drop } of gates) {
    if (isUsed(spec) && !(old && isUsed(old))) drop(spec);
  }
}
