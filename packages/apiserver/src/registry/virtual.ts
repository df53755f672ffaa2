// Resources that are answered by code and never stored: reviews and bindings.

import { selfsubjectreviews, tokenreviews } from "@picokube/api/authentication/v1";
import {
  localsubjectaccessreviews,
  selfsubjectaccessreviews,
  selfsubjectrulesreviews,
  subjectaccessreviews,
} from "@picokube/api/authorization/v1";
import { bindings } from "@picokube/api/core/v1";
import type { ConnectHandler, ResourceDefinition } from "./resource-definition.js";

const virtualResources = [
  bindings,
  tokenreviews,
  selfsubjectreviews,
  subjectaccessreviews,
  localsubjectaccessreviews,
  selfsubjectaccessreviews,
  selfsubjectrulesreviews,
];

/** The definitions of those whose handler is given, by the resource's name. */
export function virtualDefinitions(handlers: { readonly [resource: string]: ConnectHandler }): ResourceDefinition[] {
  return virtualResources.flatMap((resource) => {
    const handler = handlers[resource.resource];
    if (!handler) return [];
    return [
      {
        resource,
        storagePrefix: resource.resource,
        verbs: [],
        hasStatus: false,
        hasGeneration: false,
        connect: { "": handler },
      },
    ];
  });
}
