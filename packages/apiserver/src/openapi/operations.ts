// Which operations a kind's declaration answers to: the paths of both OpenAPI documents as data. Writes no document.

import type { GroupVersionKind } from "@picokube/api/resource";
import { definitionNameOf } from "@picokube/api/schema/load";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import { customSchemaName } from "./custom-schemas.js";
import type { Action } from "./parameters.js";

export type Method = "get" | "put" | "post" | "delete" | "patch";

export interface Operation {
  readonly path: string;
  readonly method: Method;
  readonly action: Action;
  readonly operationId: string;
  readonly tag: string;
  readonly description: string;
  readonly kind: GroupVersionKind;
  /** Full definition names; undefined: no body, and an answer that is a plain string. */
  readonly body: string | undefined;
  readonly response: string | undefined;
  /** Set when a subresource streams: its query parameters are its own. */
  readonly stream: string;
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const SCALE: GroupVersionKind = { group: "autoscaling", version: "v1", kind: "Scale" };
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** "core", "apps", "rbacAuthorization": the group as tags and operation ids spell it. */
function groupWord(group: string): string {
  if (group === "") return "core";
  const [first = "", ...rest] = group.replace(/\.k8s\.io$/, "").split(".");
  return first + rest.map(capital).join("");
}

interface Shape {
  readonly path: string;
  readonly method: Method;
  readonly action: Action;
  readonly verb: string;
  readonly words: string;
  readonly suffix?: string;
  readonly kind?: GroupVersionKind;
  readonly body?: string | undefined;
  readonly response?: string | undefined;
  readonly stream?: string;
}

/** All operations of one declaration, subresources included. */
export function operationsOf(definition: ResourceDefinition): Operation[] {
  const { resource } = definition;
  const { group, version, kind, namespaced } = resource;
  const nameOf = definition.custom ? customSchemaName : definitionNameOf;
  const own = nameOf(resource);
  const list = nameOf({ group, version, kind: `${kind}List` });
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const everywhere = `${base}/${resource.resource}`;
  const collection = namespaced ? `${base}/namespaces/{namespace}/${resource.resource}` : everywhere;
  const item = `${collection}/{name}`;
  const verbs = new Set<string>(
    definition.verbs ?? ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
  );
  const tag = `${groupWord(group)}_${version}`;
  const idWord = `${capital(groupWord(group))}${capital(version)}`;
  const operations: Operation[] = [];

  function add(shape: Shape): void {
    const scope = namespaced && shape.suffix !== "ForAllNamespaces" ? "Namespaced" : "";
    operations.push({
      path: shape.path,
      method: shape.method,
      action: shape.action,
      operationId: `${shape.verb}${idWord}${scope}${kind}${shape.suffix ?? ""}`,
      tag,
      description: shape.words,
      kind: shape.kind ?? { group, version, kind },
      body: shape.body,
      response: shape.response,
      stream: shape.stream ?? "",
    });
  }

  /** get, put and patch of the object itself or of a subresource. */
  function addObjectVerbs(subresource: string, at: { kind?: GroupVersionKind; name: string | undefined }): void {
    const path = subresource === "" ? item : `${item}/${subresource}`;
    const of = subresource === "" ? "the specified" : `${subresource} of the specified`;
    const shared = { path, kind: at.kind ?? resource, response: at.name, suffix: capital(subresource) };
    if (subresource !== "" || verbs.has("get")) {
      add({ ...shared, method: "get", action: "get", verb: "read", words: `read ${of} ${kind}` });
    }
    if (subresource !== "" || verbs.has("update")) {
      add({ ...shared, method: "put", action: "put", verb: "replace", words: `replace ${of} ${kind}`, body: at.name });
    }
    if (subresource !== "" || verbs.has("patch")) {
      const words = `partially update ${of} ${kind}`;
      add({ ...shared, method: "patch", action: "patch", verb: "patch", words, body: `${META}.Patch` });
    }
  }

  if (verbs.has("list")) {
    const shape = {
      method: "get",
      action: "list",
      verb: "list",
      words: `list or watch objects of kind ${kind}`,
    } as const;
    add({ ...shape, path: collection, response: list });
    if (namespaced) add({ ...shape, path: everywhere, response: list, suffix: "ForAllNamespaces" });
  }
  if (verbs.has("create")) {
    const words = `create a ${kind}`;
    add({ path: collection, method: "post", action: "post", verb: "create", words, body: own, response: own });
  }
  const deletion = { method: "delete", body: `${META}.DeleteOptions`, response: `${META}.Status` } as const;
  if (verbs.has("deletecollection")) {
    const words = `delete collection of ${kind}`;
    add({ ...deletion, path: collection, action: "deletecollection", verb: "deleteCollection", words });
  }
  addObjectVerbs("", { name: own });
  if (verbs.has("delete")) {
    add({ ...deletion, path: item, action: "delete", verb: "delete", words: `delete a ${kind}` });
  }
  if (definition.hasStatus) addObjectVerbs("status", { name: own });
  if (definition.scale) addObjectVerbs("scale", { kind: SCALE, name: definitionNameOf(SCALE) });
  for (const subresource of Object.keys(definition.update ?? {})) addObjectVerbs(subresource, { name: own });
  for (const [subresource, handler] of Object.entries(definition.connect ?? {})) {
    const name = definitionNameOf(handler.kind);
    const path = subresource === "" ? collection : `${item}/${subresource}`;
    for (const verb of handler.verbs) {
      const create = verb === "create";
      add({
        path,
        method: create ? "post" : "get",
        action: create ? "post" : "get",
        verb: create ? "create" : "read",
        words: subresource === "" ? `create a ${kind}` : `create ${subresource} of a ${kind}`,
        suffix: capital(subresource),
        kind: handler.kind,
        body: create ? name : undefined,
        response: name,
      });
    }
  }
  for (const stream of definition.streams ?? []) {
    const path = `${item}/${stream}`;
    if (stream === "log") {
      const words = `read log of the specified ${kind}`;
      add({ path, method: "get", action: "get", verb: "read", words, suffix: "Log", stream });
      continue;
    }
    for (const method of ["get", "post"] as const) {
      const words = `connect ${method.toUpperCase()} requests to ${stream} of ${kind}`;
      const verb = `connect${capital(method)}`;
      add({ path, method, action: "connect", verb, words, suffix: capital(stream), stream });
    }
  }
  return operations;
}

/** The "{name}" and "{namespace}" of a path, in its order. */
export function pathParameters(path: string): { name: string; description: string }[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    description:
      name === "namespace" ? "object name and auth scope, such as for teams and projects" : "name of the object",
  }));
}
