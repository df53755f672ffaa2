// CustomResourceDefinitions that several tests share: a small one with everything a version can say, and what makes
// variants of it.

import type { JsonSchema } from "../registry/apiextensions/json-schema.js";

export const GROUP = "stable.example.com";

/** The CronTab of upstream's documentation, with more of what schemas can say. */
export const cronTabSchema: JsonSchema = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      description: "What the CronTab is to do.",
      required: ["cronSpec"],
      properties: {
        cronSpec: {
          type: "string",
          description: "When it runs.",
          pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$",
        },
        image: { type: "string", default: "busybox" },
        replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
        mode: { type: "string", enum: ["Fast", "Slow"] },
        note: { type: "string", nullable: true },
        port: { "x-kubernetes-int-or-string": true },
        extra: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        template: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          "x-kubernetes-preserve-unknown-fields": true,
        },
        ports: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: {
              name: { type: "string" },
              number: { type: "integer" },
              protocol: { type: "string", default: "TCP" },
            },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      },
    },
    status: {
      type: "object",
      properties: {
        replicas: { type: "integer" },
        labelSelector: { type: "string" },
        conditions: {
          type: "array",
          items: { type: "object", properties: { type: { type: "string" }, status: { type: "string" } } },
        },
      },
    },
  },
};

/** Both subresources at their usual paths. */
export const subresources = {
  status: {},
  scale: {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".status.labelSelector",
  },
};

const columns = [
  { name: "Spec", type: "string", description: "When it runs", jsonPath: ".spec.cronSpec" },
  { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
  { name: "Ready", type: "string", priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

interface Variant {
  readonly plural?: string;
  readonly kind?: string;
  readonly shortNames?: readonly string[];
  readonly scope?: "Namespaced" | "Cluster";
  readonly schema?: JsonSchema;
  /** In place of the one version v1. */
  readonly versions?: readonly object[];
}

/** A CustomResourceDefinition; without a variant, crontabs.stable.example.com in v1. */
export function crdOf({
  plural = "crontabs",
  kind = "CronTab",
  shortNames = ["ct"],
  scope = "Namespaced",
  schema = cronTabSchema,
  versions,
}: Variant = {}) {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: { plural, singular: kind.toLowerCase(), kind, shortNames, categories: ["all"] },
      versions: versions ?? [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources,
          additionalPrinterColumns: columns,
          selectableFields: [{ jsonPath: ".spec.mode" }],
        },
      ],
    },
  };
}
