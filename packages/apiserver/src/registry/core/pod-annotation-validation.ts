// The annotations that mean something to pods: mirror pods, deletion cost, and the profiles of seccomp and AppArmor from
// before they were fields, in upstream's words (upstream: ValidatePodSpecificAnnotations). Pure.

import type { PodSpec } from "@picokube/api/core/v1";
import { type FieldError, forbiddenField, invalidValue } from "@picokube/api/validation/field-error";
import { localDescendingPath } from "../check.js";
import { containersWithPaths } from "./pod-os-validation.js";

type Annotations = { readonly [key: string]: string } | undefined;

/** On the API's copy of a static pod. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";
const deletionCost = "controller.kubernetes.io/pod-deletion-cost";
const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
const appArmorContainer = "container.apparmor.security.beta.kubernetes.io/";

function validateDeletionCost(value: string | undefined, path: string): FieldError[] {
  // Upstream parses an int32 and refuses a plus sign and leading zeros.
  const isCost = value === undefined || /^(0|-?[1-9]\d*)$/.test(value);
  const fits = isCost && Math.abs(Number(value ?? 0) + 0.5) <= 2 ** 31;
  return fits ? [] : [invalidValue(`${path}[${deletionCost}]`, value, "must be a 32bit integer")];
}

function validateSeccomp(profile: string, path: string): FieldError[] {
  if (["runtime/default", "docker/default", "unconfined"].includes(profile)) return [];
  if (profile.startsWith("localhost/")) return localDescendingPath(path, profile.slice("localhost/".length));
  return [invalidValue(path, profile, "must be a valid seccomp profile")];
}

function validateAppArmor(profile: string, path: string): FieldError[] {
  if (["", "runtime/default", "unconfined"].includes(profile) || profile.startsWith("localhost/")) return [];
  return [invalidValue(path, profile, `invalid AppArmor profile name: "${profile}"`)];
}

/** The values of the annotations that pods know. */
export function validatePodAnnotations(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const mirror = annotations?.[mirrorAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    const words = "must set spec.nodeName if mirror pod annotation is set";
    faults.push(invalidValue(`${path}[${mirrorAnnotation}]`, mirror, words));
  }
  faults.push(...validateDeletionCost(annotations?.[deletionCost], path));
  const names = new Set(containersWithPaths(spec, "").map(({ container }) => container.name));
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (key === seccompPod || key.startsWith(seccompContainer)) {
      faults.push(...validateSeccomp(value, `${path}.${key}`));
    }
    if (!key.startsWith(appArmorContainer)) continue;
    const container = key.slice(appArmorContainer.length);
    if (!names.has(container)) faults.push(invalidValue(`${path}[${key}]`, container, "container not found"));
    faults.push(...validateAppArmor(value, `${path}[${key}]`));
  }
  return faults;
}

interface Profile {
  readonly type?: string;
  readonly localhostProfile?: string;
}

/** A profile's annotation, when there is one, says what the field says. */
function profileFaults(profile: Profile | undefined, annotation: string | undefined, at: string, kind: string) {
  if (!profile || annotation === undefined) return [];
  const words = `${kind} type in annotation and field must match`;
  const { type, localhostProfile } = profile;
  const plain: { readonly [type: string]: readonly string[] } = {
    Unconfined: ["unconfined"],
    RuntimeDefault: kind === "seccomp" ? ["runtime/default", "docker/default"] : ["runtime/default"],
  };
  if (plain[type ?? ""]) return plain[type!]!.includes(annotation) ? [] : [forbiddenField(`${at}.type`, words)];
  if (type !== "Localhost") return [];
  if (!annotation.startsWith("localhost/")) return [forbiddenField(`${at}.type`, words)];
  const matches = annotation.slice("localhost/".length) === localhostProfile;
  const other = `${kind} profile in annotation and field must match`;
  return matches ? [] : [forbiddenField(`${at}.localhostProfile`, other)];
}

/** Annotations and fields of profiles that are both there say the same (upstream: validateSeccompAnnotationsAndFields and its AppArmor twin). */
export function validateProfileAnnotations(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  if (!annotations) return [];
  const pod = spec.securityContext;
  const faults = profileFaults(
    pod?.seccompProfile,
    annotations[seccompPod],
    `${path}.securityContext.seccompProfile`,
    "seccomp",
  );
  const containers = containersWithPaths(spec, path);
  for (const { container, at } of containers) {
    const field = `${at}.securityContext.seccompProfile`;
    const annotation = annotations[seccompContainer + container.name];
    faults.push(...profileFaults(container.securityContext?.seccompProfile, annotation, field, "seccomp"));
  }
  if (spec.os?.name === "windows") return faults;
  for (const { container, at } of containers) {
    const profile = container.securityContext?.appArmorProfile ?? pod?.appArmorProfile;
    const annotation = annotations[appArmorContainer + container.name];
    faults.push(...profileFaults(profile, annotation, `${at}.securityContext.appArmorProfile`, "apparmor"));
  }
  return faults;
}

/** Annotations that never change once a pod is there (upstream: ValidatePodSpecificAnnotationUpdates). */
export function validateAnnotationChanges(next: Annotations, old: Annotations, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const changed = (key: string, verb: string) => {
    const at = `${path}[${key}]`;
    if (key.startsWith(appArmorContainer)) faults.push(forbiddenField(at, `may not ${verb} AppArmor annotations`));
    if (key === mirrorAnnotation) faults.push(forbiddenField(at, `may not ${verb} mirror pod annotation`));
  };
  for (const [key, value] of Object.entries(old ?? {})) if (next?.[key] !== value) changed(key, "remove or update");
  for (const key of Object.keys(next ?? {})) if (old?.[key] === undefined) changed(key, "add");
  return faults;
}
