// Writes as field management sees them, of objects given as YAML: what the tests of this folder share.

import { deployments } from "@picokube/api/apps/v1";
import { pods } from "@picokube/api/core/v1";
import type { StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { apiVersionOf, type GroupVersionKind } from "@picokube/api/resource";
import { schemaOf } from "@picokube/api/schema/load";
import { parse } from "yaml";
import { decodeMerged } from "../handlers/apply.js";
import { applyConfiguration, type FieldWrite, trackWrite } from "./field-manager.js";
import type { JsonObject } from "./field-type.js";
import { entriesOf } from "./managed-fields.js";
import { ownedThrough } from "./reset-fields.js";

const START_MS = Date.parse("2030-01-01T00:00:00Z");

/** A write through the resource itself, so many seconds after the first. */
export function write(manager: string, kind: GroupVersionKind = deployments, seconds = 0): FieldWrite {
  return {
    apiVersion: apiVersionOf(kind),
    owned: ownedThrough(kind, { subresource: "", hasStatus: true }),
    schemaIn: () => schemaOf(kind)!,
    manager,
    subresource: "",
    nowMs: START_MS + seconds * 1000,
  };
}

/** How an apply is made; by manager "a", to a Deployment, when nothing is said. */
export interface Applying {
  manager?: string;
  force?: boolean;
  kind?: GroupVersionKind;
  seconds?: number;
  subresource?: string;
}

/** What an apply leaves of the live object. */
export function applied(
  live: KubernetesObject | undefined,
  yaml: string,
  { manager = "a", force = false, kind = deployments, seconds = 0, subresource = "" }: Applying = {},
): KubernetesObject {
  const application = {
    ...write(manager, kind, seconds),
    subresource,
    owned: ownedThrough(kind, { subresource, hasStatus: true }),
    config: parse(yaml) as JsonObject,
    force,
    decode: (merged: JsonObject) => decodeMerged(merged, kind),
  };
  return structuredClone(applyConfiguration(live && structuredClone(live), application));
}

/** What an update leaves of the live object. */
export function updated(live: KubernetesObject, change: (object: never) => void, manager: string, seconds = 1) {
  const object = structuredClone(live);
  change(object as never);
  trackWrite(live, object, write(manager, live.kind === "Pod" ? pods : deployments, seconds));
  return object;
}

/** What a POST makes. */
export function created(yaml: string, manager: string, kind: GroupVersionKind): KubernetesObject {
  const object = decodeMerged(parse(yaml) as JsonObject, kind);
  trackWrite(undefined, object, write(manager, kind));
  return object;
}

/** Fields by manager and operation. */
export function owners(object: KubernetesObject): { [owner: string]: unknown } {
  return Object.fromEntries(
    entriesOf(object).map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]),
  );
}

/** A Deployment. */
export const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: default, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - name: web
        image: nginx
        ports: [{ containerPort: 80 }]
`;

/** What the function throws. */
export function errorOf(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    return error as StatusError;
  }
  throw new Error("nothing was thrown");
}
