// What a check of the Pod Security Standards is, and the words that all of them share. Pure.

import type { Container, PodSecurityContext, PodSpec, SecurityContext } from "@picokube/api/core/v1";

export interface Violation {
  /** "host namespaces", "privileged". */
  readonly reason: string;
  /** Which containers, which fields; "" when the reason says it all. */
  readonly detail: string;
}

export interface CheckedPod {
  readonly annotations: { readonly [key: string]: string } | undefined;
  readonly spec: PodSpec;
}

export type Check = (pod: CheckedPod) => Violation | undefined;

export interface VersionedCheck {
  /** Upstream's name for it; checks are reported in the order of their names. */
  readonly id: string;
  /** The check of each minor version since which it is as it is, oldest first. */
  readonly since: readonly { readonly minor: number; readonly check: Check }[];
  /** Names of baseline checks that it says better. */
  readonly overrides?: readonly string[];
}

/** Containers of all kinds, in the order in which upstream looks at them. */
export function allContainers(spec: PodSpec): Container[] {
  const ephemeral = (spec.ephemeralContainers ?? []) as unknown as Container[];
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...ephemeral];
}

/** '"a", "b"' */
export const quoted = (names: Iterable<string>): string => [...names].map((name) => JSON.stringify(name)).join(", ");

/** The word, with an s unless there is one. */
export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);

/** 'container "web"' or 'containers "a", "b"'. */
export function containerWords(containers: readonly Container[]): string {
  const names = quoted(containers.map(({ name }) => name));
  return `${plural("container", containers.length)} ${names}`;
}

/** The containers of which it is true. */
export function offending(
  spec: PodSpec,
  isBad: (context: SecurityContext | undefined, container: Container) => boolean,
): Container[] {
  return allContainers(spec).filter((container) => isBad(container.securityContext, container));
}

type AnyContext = PodSecurityContext | SecurityContext | undefined;

/** Who sets something bad: "pod", 'container "a"', or both with " and " between; empty when nobody does. */
export function settersWords(spec: PodSpec, isBad: (context: AnyContext) => boolean): string {
  const bad = offending(spec, isBad);
  return [...(isBad(spec.securityContext) ? ["pod"] : []), ...(bad.length > 0 ? [containerWords(bad)] : [])].join(
    " and ",
  );
}

/** The distinct values that the pod and its containers set, in order. */
export function settersValues(spec: PodSpec, valueIn: (context: AnyContext) => string | undefined): string[] {
  const contexts: AnyContext[] = [
    spec.securityContext,
    ...allContainers(spec).map(({ securityContext }) => securityContext),
  ];
  return [...new Set(contexts.flatMap((context) => valueIn(context) ?? []))].sort();
}

/** A violation of one reason. */
export const violation = (reason: string, detail = ""): Violation => ({ reason, detail });
