// Pods for the tests of their validation. Imported by tests alone.

import { setPodDefaults } from "@picokube/api/core/pod-defaults";
import type { Pod } from "@picokube/api/core/v1";

/** Of that spec, with its defaults. */
export function pod(spec: unknown): Pod {
  const result = { metadata: { name: "web", namespace: "default" }, spec: structuredClone(spec) } as Pod;
  setPodDefaults(result);
  return result;
}

export const container = { name: "web", image: "nginx" };
export const one = (more: object) => ({ containers: [{ ...container, ...more }] });

export const annotated = (annotations: object, spec: unknown = one({})) => {
  const result = pod(spec);
  result.metadata.annotations = annotations as { [key: string]: string };
  return result;
};
export const words = (faults: readonly { field: string; message: string }[]) =>
  faults.map(({ field, message }) => `${field}: ${message}`);
