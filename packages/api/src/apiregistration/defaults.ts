// Defaults of APIServices (upstream: apiregistration/v1/defaults.go). Pure, in place, idempotent.

import type { APIService } from "./v1.js";

export function setApiServiceDefaults({ spec }: APIService): void {
  if (spec?.service) spec.service.port ??= 443;
}
