// Defaults of the flowcontrol group (upstream: pkg/apis/flowcontrol/v1/defaults.go). Pure, in place, idempotent.

import type { FlowSchema, PriorityLevelConfiguration } from "./v1.js";

export function setFlowSchemaDefaults({ spec }: FlowSchema): void {
  if (spec) spec.matchingPrecedence ||= 1000;
}

export function setPriorityLevelConfigurationDefaults({ spec }: PriorityLevelConfiguration): void {
  if (spec?.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (!spec?.limited) return;
  spec.limited.nominalConcurrencyShares ??= 30;
  spec.limited.lendablePercent ??= 0;
  const { limitResponse } = spec.limited;
  if (limitResponse?.type !== "Queue") return;
  limitResponse.queuing ??= {};
  limitResponse.queuing.queues ??= 64;
  limitResponse.queuing.handSize ??= 8;
  limitResponse.queuing.queueLengthLimit ??= 50;
}
