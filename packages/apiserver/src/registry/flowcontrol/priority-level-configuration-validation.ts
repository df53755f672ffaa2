// What a valid PriorityLevelConfiguration is, in upstream's words (upstream: ValidatePriorityLevelConfiguration). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { PriorityLevelConfiguration } from "@picokube/api/flowcontrol/v1";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { catchAllPriorityLevel } from "./mandatory.js";
import { validateStatusConditions } from "./status-condition-validation.js";

type Spec = NonNullable<PriorityLevelConfiguration["spec"]>;
type Limited = NonNullable<Spec["limited"]>;
type Queuing = NonNullable<NonNullable<Limited["limitResponse"]>["queuing"]>;

const maxQueues = 10_000_000;
/** As many as a flow's hash has: dealing a hand must not need more. */
const maxHashBits = 60;

function validateShares(
  {
    nominalConcurrencyShares: shares,
    lendablePercent,
  }: { nominalConcurrencyShares?: number; lendablePercent?: number },
  path: string,
): { shares: FieldError[]; percent: FieldError[] } {
  const isPercent = lendablePercent === undefined || (lendablePercent >= 0 && lendablePercent <= 100);
  return {
    shares:
      shares !== undefined && shares < 0
        ? [invalidValue(`${path}.nominalConcurrencyShares`, shares, "must be a non-negative integer")]
        : [],
    percent: isPercent
      ? []
      : [invalidValue(`${path}.lendablePercent`, lendablePercent, "must be between 0 and 100, inclusive")],
  };
}

function validateQueuing({ queues = 0, handSize = 0, queueLengthLimit = 0 }: Queuing, path: string): FieldError[] {
  const faults: FieldError[] = [];
  if (queueLengthLimit <= 0) {
    faults.push(invalidValue(`${path}.queueLengthLimit`, queueLengthLimit, "must be positive"));
  }
  if (queues <= 0) faults.push(invalidValue(`${path}.queues`, queues, "must be positive"));
  else if (queues > maxQueues) {
    faults.push(invalidValue(`${path}.queues`, queues, `must not be greater than ${maxQueues}`));
  }
  const at = `${path}.handSize`;
  const entropyBits = Math.ceil(Math.log2(queues) * handSize);
  if (handSize <= 0) faults.push(invalidValue(at, handSize, "must be positive"));
  else if (handSize > queues) {
    faults.push(invalidValue(at, handSize, `should not be greater than queues (${queues})`));
  } else if (entropyBits > maxHashBits) {
    const words = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`;
    faults.push(invalidValue(at, handSize, words));
  }
  return faults;
}

function validateLimitResponse(response: Limited["limitResponse"], path: string): FieldError[] {
  const { type, queuing } = response ?? {};
  if (type === "Reject") {
    const words = "must be nil if limited.limitResponse.type is not Limited";
    return queuing ? [forbiddenField(`${path}.queuing`, words)] : [];
  }
  if (type !== "Queue") return [notSupported(`${path}.type`, type ?? "", ["Queue", "Reject"])];
  const words = "must not be empty if limited.limitResponse.type is Limited";
  return queuing ? validateQueuing(queuing, `${path}.queuing`) : [required(`${path}.queuing`, words)];
}

function validateLimited(limited: Limited, path: string): FieldError[] {
  const { shares, percent } = validateShares(limited, path);
  const faults = [...shares, ...validateLimitResponse(limited.limitResponse, `${path}.limitResponse`), ...percent];
  const borrowing = limited.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0) {
    const words = "if specified, must be a non-negative integer";
    faults.push(invalidValue(`${path}.borrowingLimitPercent`, borrowing, words));
  }
  return faults;
}

function validateFixed(name: string, spec: Spec): FieldError[] {
  if (name === "exempt" && !semanticDeepEqual({ ...spec, exempt: undefined }, { type: "Exempt" })) {
    const words = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value";
    return [invalidValue("spec", spec, words)];
  }
  if (name === "catch-all" && !semanticDeepEqual(spec, catchAllPriorityLevel)) {
    return [invalidValue("spec", spec, "spec of 'catch-all' must equal the fixed value")];
  }
  return [];
}

/** A PriorityLevelConfiguration as it is created and changed. */
export function validatePriorityLevelConfiguration({
  metadata,
  spec = {} as Spec,
}: PriorityLevelConfiguration): FieldError[] {
  const { type, limited, exempt } = spec;
  const faults: FieldError[] = [];
  if ((metadata.name === "exempt") !== (type === "Exempt")) {
    const words = "type must be 'Exempt' if and only if name is 'exempt'";
    faults.push(invalidValue("spec.type", type ?? "", words));
  }
  if (type === "Exempt") {
    if (limited) faults.push(forbiddenField("spec.limited", "must be nil if the type is not Limited"));
    const { shares, percent } = validateShares(exempt ?? {}, "spec.exempt");
    faults.push(...shares, ...percent);
  } else if (type === "Limited") {
    if (exempt) faults.push(forbiddenField("spec.exempt", "must be nil if the type is Limited"));
    if (!limited) faults.push(required("spec.limited", "must not be empty when type is Limited"));
    else faults.push(...validateLimited(limited, "spec.limited"));
  } else faults.push(notSupported("spec.type", type ?? "", ["Exempt", "Limited"]));
  return [...faults, ...validateFixed(metadata.name, spec)];
}

/** What is written to a PriorityLevelConfiguration's status. */
export function validatePriorityLevelConfigurationStatus({ status }: PriorityLevelConfiguration): FieldError[] {
  return validateStatusConditions(status?.conditions);
}
