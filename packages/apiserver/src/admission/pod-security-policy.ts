// Which levels and versions a namespace's labels ask for, what is wrong with the labels, and what violates a level
// (upstream: pod-security-admission api/helpers.go, policy/registry.go). Pure.

import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import { baselineChecks } from "./pod-security-baseline.js";
import type { Check, CheckedPod, VersionedCheck, Violation } from "./pod-security-check.js";
import { restrictedChecks } from "./pod-security-restricted.js";

export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];
export type Mode = "enforce" | "audit" | "warn";

export interface LevelVersion {
  readonly level: Level;
  /** "latest" or "v1.x". */
  readonly version: string;
}

export type Policy = { readonly [mode in Mode]: LevelVersion };

type Labels = { readonly [key: string]: string } | undefined;

const PREFIX = "pod-security.kubernetes.io/";
const UNRESTRICTED: LevelVersion = { level: "privileged", version: "latest" };

/** What holds where no label says otherwise. */
export const privilegedPolicy: Policy = { enforce: UNRESTRICTED, audit: UNRESTRICTED, warn: UNRESTRICTED };

export const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text);
export const isVersion = (text: string): boolean => text === "latest" || /^v1\.(\d|[1-9]\d*)$/.test(text);
export const levelWords = `must be one of ${levels.join(", ")}`;
export const versionWords = 'must be "latest" or "v1.x"';

/** Negative when the first is the laxer level. */
export function compareLevels(left: Level, right: Level): number {
  return levels.indexOf(left) - levels.indexOf(right);
}

/** A policy always, and the faults of the labels: enforcing errs on the strict side, warning and auditing on the lax. */
export function policyOf(
  labels: Labels,
  defaults: Policy = privilegedPolicy,
): { policy: Policy; faults: FieldError[] } {
  const faults: FieldError[] = [];
  const modes: { [mode in Mode]: LevelVersion } = { ...defaults };
  for (const mode of ["enforce", "audit", "warn"] as const) {
    const level = labels?.[PREFIX + mode];
    if (level !== undefined) {
      if (!isLevel(level)) faults.push(invalidValue(`metadata.labels[${PREFIX}${mode}]`, level, levelWords));
      const strictness = mode === "enforce" ? "restricted" : "privileged";
      modes[mode] = { ...modes[mode], level: isLevel(level) ? level : strictness };
    }
    const version = labels?.[`${PREFIX}${mode}-version`];
    if (version !== undefined) {
      if (!isVersion(version)) {
        faults.push(invalidValue(`metadata.labels[${PREFIX}${mode}-version]`, version, versionWords));
      }
      modes[mode] = { ...modes[mode], version: isVersion(version) ? version : "latest" };
    }
  }
  // What is enforced on pods is worth a warning on their templates.
  const { enforce, warn } = modes;
  const isEnforcing = isLevel(labels?.[`${PREFIX}enforce`] ?? "");
  if (labels?.[`${PREFIX}warn`] === undefined && isEnforcing && compareLevels(enforce.level, warn.level) > 0) {
    const isPinned = isVersion(labels?.[`${PREFIX}enforce-version`] ?? "");
    const version = labels?.[`${PREFIX}warn-version`] === undefined && isPinned ? enforce.version : warn.version;
    modes.warn = { level: enforce.level, version };
  }
  return { policy: modes, faults };
}

const checkAt = ({ since }: VersionedCheck, minor: number): Check | undefined =>
  since.findLast((each) => each.minor <= minor)?.check;

/** What of the pod violates the level as it was in that version, in upstream's order. */
export function violationsOf(pod: CheckedPod, { level, version }: LevelVersion): Violation[] {
  if (level === "privileged") return [];
  const minor = version === "latest" ? Number.POSITIVE_INFINITY : Number(version.slice("v1.".length));
  const added = level === "restricted" ? restrictedChecks.filter((check) => checkAt(check, minor)) : [];
  const overridden = new Set(added.flatMap(({ overrides = [] }) => overrides));
  const checks = [...baselineChecks.filter(({ id }) => !overridden.has(id)), ...added];
  return checks.flatMap((check) => checkAt(check, minor)?.(pod) ?? []);
}

/** 'PodSecurity "restricted:latest": a (x), b (y)'; undefined for a pod that violates nothing. */
export function violationWords(pod: CheckedPod, wanted: LevelVersion): string | undefined {
  const found = violationsOf(pod, wanted);
  if (found.length === 0) return undefined;
  const words = found.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`));
  return `PodSecurity "${wanted.level}:${wanted.version}": ${words.join(", ")}`;
}
