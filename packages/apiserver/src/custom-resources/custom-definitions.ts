// Turns a CustomResourceDefinition into the declarations that built-in kinds have: one for each version that is served.
// Serves nothing itself.

import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import { internalError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { parseApiVersion, type Resource } from "@picokube/api/resource";
import { byVersionPriority } from "@picokube/api/version-order";
import type { JsonObject } from "../apply/field-type.js";
import type { JsonSchema } from "../registry/apiextensions/json-schema.js";
import { isOwnWrite } from "../registry/own-write.js";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import { type VersionSchema, versionSchema } from "./custom-kind.js";
import { deprecationWarning } from "./deprecation.js";
import { jsonPath } from "./json-path.js";
import { printerColumns } from "./printer-columns.js";
import { pruneUnknown } from "./prune.js";

type Spec = NonNullable<CustomResourceDefinition["spec"]>;
type Version = Spec["versions"][number];
type WithStatus = KubernetesObject & { status?: unknown };

/** The declarations: what is served first, the preferred version before the others. */
export function customDefinitions(crd: CustomResourceDefinition, isTerminating: () => boolean): ResourceDefinition[] {
  const spec = crd.spec!;
  const schemas = new Map(spec.versions.map((version) => [version.name, schemaOf(version)]));
  const storage = spec.versions.find((version) => version.storage)!.name;
  return [...spec.versions]
    .sort((a, b) => Number(b.served) - Number(a.served) || byVersionPriority(a.name, b.name))
    .map((version) => definitionOf({ crd, version, schemas, storage, isTerminating }));
}

function schemaOf({ schema, subresources }: Version): VersionSchema {
  const { scale } = subresources ?? {};
  const paths = scale ? [scale.specReplicasPath, scale.statusReplicasPath].map((path) => path.slice(1)) : [];
  return versionSchema((schema?.openAPIV3Schema ?? {}) as JsonSchema, paths);
}

function resourceOf({ spec, status }: CustomResourceDefinition, version: string): Resource {
  const { group, names, scope } = spec!;
  const accepted = status?.acceptedNames;
  return {
    group,
    version,
    kind: names.kind,
    resource: names.plural,
    singular: accepted?.singular ?? names.singular ?? names.kind.toLowerCase(),
    namespaced: scope === "Namespaced",
    shortNames: accepted?.shortNames ?? [],
    categories: accepted?.categories ?? [],
  };
}

function definitionOf({
  crd,
  version,
  schemas,
  storage,
  isTerminating,
}: {
  crd: CustomResourceDefinition;
  version: Version;
  schemas: ReadonlyMap<string, VersionSchema>;
  storage: string;
  isTerminating: () => boolean;
}): ResourceDefinition {
  const spec = crd.spec!;
  const rules = schemas.get(version.name)!;
  const { status, scale } = version.subresources ?? {};
  const hasStatus = status !== undefined;
  const warning = deprecationWarning(spec, version);
  return {
    resource: resourceOf(crd, version.name),
    storagePrefix: `${spec.group}/${spec.names.plural}`,
    isServed: version.served,
    custom: { ...rules, isTerminating },
    applyDefaults: rules.applyDefaults,
    prepareForCreate(object: WithStatus) {
      if (hasStatus) delete object.status;
    },
    validate: (object) => rules.validate(object),
    prepareForUpdate(object: WithStatus, old: WithStatus, context) {
      if (!hasStatus || isOwnWrite(context)) return;
      if (old.status === undefined) delete object.status;
      else object.status = structuredClone(old.status);
    },
    validateUpdate: (object, old) => rules.validate(object, old),
    validateStatusUpdate: (object, old) => rules.validate(object, old),
    hasStatus,
    hasGeneration: true,
    allowUnconditionalUpdate: false,
    selectableFields: selectableFields(version),
    columns: printerColumns(version.additionalPrinterColumns),
    ...(warning === undefined ? {} : { deprecationWarning: warning }),
    ...(scale ? { scale: scalePaths(scale) } : {}),
    storedAs: {
      resource: resourceOf(crd, storage),
      toStored: (object) => (storage === version.name ? object : pruned(object, schemas.get(storage)!)),
      fromStored: (object) => converted(object, { schemas, target: version.name, spec }),
    },
  };
}

function pruned(object: KubernetesObject, { schema }: VersionSchema): KubernetesObject {
  const copy = structuredClone(object);
  pruneUnknown(copy as unknown as JsonObject, schema);
  return copy;
}

/** A private stored object, completed by the schema it was stored under, then told in the target's version. */
function converted(
  object: KubernetesObject,
  { schemas, target, spec }: { schemas: ReadonlyMap<string, VersionSchema>; target: string; spec: Spec },
): KubernetesObject {
  const { version } = parseApiVersion(object.apiVersion ?? "");
  const from = schemas.get(version);
  if (!from) {
    throw internalError(new Error(`request to convert CR from an invalid group/version: ${object.apiVersion}`));
  }
  from.complete(object);
  if (version === target) return object;
  if (spec.conversion?.strategy === "Webhook") {
    const words = `conversion webhook for ${object.apiVersion}, Kind=${object.kind} failed: conversion webhooks are not called by this server`;
    throw internalError(new Error(words));
  }
  pruneUnknown(object as unknown as JsonObject, schemas.get(target)!.schema);
  return object;
}

function selectableFields({ selectableFields: declared = [] }: Version) {
  const readers = declared.map(({ jsonPath: path }) => {
    const find = jsonPath(path);
    const read = (object: KubernetesObject) => {
      const [value] = find(object);
      return value === undefined || value === null ? "" : String(value as string);
    };
    return [path.replace(/^\./, ""), read] as const;
  });
  return Object.fromEntries(readers);
}

function scalePaths({
  specReplicasPath,
  statusReplicasPath,
  labelSelectorPath,
}: {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}) {
  const find = labelSelectorPath ? jsonPath(labelSelectorPath) : () => [];
  return {
    specReplicas: specReplicasPath.slice(1),
    statusReplicas: statusReplicasPath.slice(1),
    selector(object: KubernetesObject) {
      const [value] = find(object);
      return typeof value === "string" ? value : "";
    },
  };
}
