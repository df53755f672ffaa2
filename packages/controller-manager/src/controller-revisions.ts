// ControllerRevisions: what StatefulSets and DaemonSets remember of their templates, to roll back to. Reads and builds
// them; the controllers write them.

import type { ControllerRevision } from "@picokube/api/apps/v1";
import type { PodTemplateSpec } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { canonicalJson, fnv32, safeEncodeString } from "@picokube/api/hash";

/** On pods: the revision they were made of. */
export const revisionLabel = "controller-revision-hash";
/** On the revisions of StatefulSets. */
export const revisionHashLabel = "controller.kubernetes.io/hash";

/** A strategic merge patch that puts the template back whole. */
export interface RevisionData {
  readonly spec: { readonly template: PodTemplateSpec & { readonly $patch: "replace" } };
}

/** Upstream's getPatch. Field by field as Go would write it, which kubectl compares byte by byte. */
export function revisionData(template: PodTemplateSpec): RevisionData {
  const { metadata, spec } = template;
  const withResources = <C extends object>(containers: readonly C[] | undefined) =>
    containers?.map((container) => ({ resources: {}, ...container }));
  const { containers, initContainers } = spec ?? {};
  const written = {
    ...template,
    $patch: "replace",
    metadata: { ...metadata, creationTimestamp: null },
    spec: {
      ...spec,
      containers: withResources(containers),
      ...(initContainers ? { initContainers: withResources(initContainers) } : {}),
    },
  };
  return JSON.parse(canonicalJson({ spec: { template: written } })) as RevisionData;
}

/** The template that the revision holds. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (data as unknown as RevisionData).spec.template;
  return template;
}

/** The revision puts back this very template. */
export function holdsTemplate(revision: ControllerRevision, template: PodTemplateSpec): boolean {
  return semanticDeepEqual(templateOf(revision), template);
}

const escapes: { readonly [character: string]: string } = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Upstream's HashControllerRevision, over the bytes that Go's JSON encoder would have written. */
export function hashRevision(data: RevisionData, collisionCount: number): string {
  const json = canonicalJson(data).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character]!);
  return safeEncodeString(String(fnv32(`${json}${collisionCount}`)));
}

/** Upstream's ControllerRevisionName. */
export function revisionName(owner: string, hash: string): string {
  return `${owner.slice(0, 223)}-${hash}`;
}

/** Oldest first: by revision, then by age, then by name. Upstream's SortControllerRevisions. */
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  if (a.revision !== b.revision) return a.revision - b.revision;
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** One more than the highest; the first is 1. */
export function nextRevision(revisions: readonly ControllerRevision[]): number {
  return Math.max(0, ...revisions.map(({ revision }) => revision)) + 1;
}
