// Defaults of CustomResourceDefinitions (upstream: apiextensions/v1/defaults.go). Pure, in place, idempotent.

import type { CustomResourceDefinition } from "./v1.js";

export function setCustomResourceDefinitionDefaults({ spec }: CustomResourceDefinition): void {
  if (!spec) return;
  if (spec.names?.kind) {
    spec.names.singular ||= spec.names.kind.toLowerCase();
    spec.names.listKind ||= `${spec.names.kind}List`;
  }
  spec.conversion ??= { strategy: "None" };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= 443;
}
