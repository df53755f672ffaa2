// What may be written to a Job's status, in upstream's words (upstream: ValidateJobStatusUpdate). Pure. A rule is asked
// only of an update that changes what it is about.

import type { Job } from "@picokube/api/batch/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  duplicate,
  type FieldError,
  invalidOmitted,
  invalidValue,
  required,
} from "@picokube/api/validation/field-error";
import { nonnegative } from "../check.js";
import { firstOverlap, parseIndexes } from "./indexes.js";

type Status = NonNullable<Job["status"]>;

const conditions = "status.conditions";

interface View {
  readonly status: Status;
  readonly isComplete: boolean;
  readonly isFailed: boolean;
  readonly isFinished: boolean;
  readonly hasFailureTarget: boolean;
  readonly hasSucceeded: boolean;
  readonly isSuspended: boolean;
}

function view({ status = {} }: Job): View {
  const has = (type: string) => (status.conditions ?? []).some((each) => each.type === type && each.status === "True");
  const isComplete = has("Complete");
  const isFailed = has("Failed");
  return {
    status,
    isComplete,
    isFailed,
    isFinished: isComplete || isFailed,
    hasFailureTarget: has("FailureTarget"),
    hasSucceeded: has("SuccessCriteriaMet"),
    isSuspended: has("Suspended"),
  };
}

function validateCounts({ status }: View): FieldError[] {
  const faults = (["active", "succeeded", "failed", "ready", "terminating"] as const).flatMap((field) =>
    nonnegative(`status.${field}`, status[field]),
  );
  const seen = new Set<string>();
  for (const side of ["succeeded", "failed"] as const) {
    for (const [index, uid] of (status.uncountedTerminatedPods?.[side] ?? []).entries()) {
      const at = `status.uncountedTerminatedPods.${side}[${index}]`;
      if (uid === "") faults.push(invalidValue(at, uid, "must not be empty"));
      else if (seen.has(uid)) faults.push(duplicate(at, uid));
      seen.add(uid);
    }
  }
  return faults;
}

/** What a finished Job looks like. */
function validateEnd(next: View, old: View): FieldError[] {
  const { status, isComplete, isFailed, isFinished } = next;
  const changed = (...fields: (keyof Status | keyof View)[]) =>
    fields.some((field) =>
      field in next && field !== "status"
        ? next[field as keyof View] !== old[field as keyof View]
        : !semanticDeepEqual(status[field as keyof Status], old.status[field as keyof Status]),
    );
  const { startTime, completionTime, uncountedTerminatedPods: uncounted } = status;
  const rules: [boolean, () => FieldError][] = [
    [
      changed("isComplete", "isFailed") && isComplete && isFailed,
      () => invalidOmitted(conditions, "cannot set Complete=True and Failed=true conditions"),
    ],
    [
      changed("isComplete", "hasFailureTarget") && isComplete && next.hasFailureTarget,
      () => invalidOmitted(conditions, "cannot set Complete=True and FailureTarget=true conditions"),
    ],
    [
      changed("isComplete", "completionTime") && completionTime !== undefined && !isComplete,
      () => {
        const words = "cannot set completionTime when there is no Complete=True condition";
        return invalidValue("status.completionTime", completionTime, words);
      },
    ],
    [
      changed("isComplete", "completionTime") && completionTime === undefined && isComplete,
      () => required("status.completionTime", "completionTime is required for Complete jobs"),
    ],
    [
      changed("startTime", "completionTime") && Date.parse(completionTime ?? "") < Date.parse(startTime ?? ""),
      () => invalidValue("status.completionTime", completionTime, "completionTime cannot be set before startTime"),
    ],
    [
      changed("isFailed", "failedIndexes") && isFailed && !next.hasFailureTarget,
      () => invalidOmitted(conditions, "cannot set Failed=True condition without the FailureTarget=true condition"),
    ],
    [
      changed("isComplete", "hasSucceeded") && isComplete && !next.hasSucceeded,
      () =>
        invalidOmitted(conditions, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"),
    ],
    [
      changed("isFinished", "active") && isFinished && (status.active ?? 0) > 0,
      () => invalidValue("status.active", status.active, "active>0 is invalid for finished job"),
    ],
    [
      changed("isFinished", "startTime") && isFinished && startTime === undefined,
      () => required("status.startTime", "startTime is required for finished job"),
    ],
    [
      changed("isFinished", "uncountedTerminatedPods") &&
        isFinished &&
        (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0,
      () => {
        const words = "uncountedTerminatedPods needs to be empty for finished job";
        return invalidValue("status.uncountedTerminatedPods", uncounted, words);
      },
    ],
    [
      changed("isFinished", "terminating") && isFinished && (status.terminating ?? 0) > 0,
      () => invalidValue("status.terminating", status.terminating, "terminating>0 is invalid for finished job"),
    ],
    [
      changed("ready", "active") && (status.ready ?? 0) > (status.active ?? 0),
      () => invalidValue("status.ready", status.ready, "cannot set more ready pods than active"),
    ],
    [
      next.hasSucceeded && isFailed,
      () => invalidOmitted(conditions, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
    ],
    [
      next.hasSucceeded && next.hasFailureTarget,
      () => invalidOmitted(conditions, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
    ],
  ];
  return rules.filter(([applies]) => applies).map(([, fault]) => fault());
}

function validateIndexes({ spec, status = {} }: Job, old: Status): FieldError[] {
  const { completedIndexes = "", failedIndexes } = status;
  const hasCompleted = completedIndexes !== (old.completedIndexes ?? "");
  const hasFailed = failedIndexes !== old.failedIndexes;
  const completions = spec?.completions;
  const faults: FieldError[] = [];
  const parse = (field: string, text: string) => {
    const parsed = parseIndexes(text, completions ?? 0);
    if ("why" in parsed) faults.push(invalidValue(`status.${field}`, text, `error parsing ${field}: ${parsed.why}`));
  };
  const isPerIndex = spec?.backoffLimitPerIndex !== undefined;
  if (hasCompleted && completions !== undefined) parse("completedIndexes", completedIndexes);
  if (hasFailed && completions !== undefined && isPerIndex && failedIndexes !== undefined) {
    parse("failedIndexes", failedIndexes);
  }
  if (hasCompleted && completedIndexes !== "" && spec?.completionMode !== "Indexed") {
    const words = "cannot set non-empty completedIndexes when non-indexed completion mode";
    faults.push(invalidValue("status.completedIndexes", completedIndexes, words));
  }
  if (hasFailed && failedIndexes !== undefined && !isPerIndex) {
    const words = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    faults.push(invalidValue("status.failedIndexes", failedIndexes, words));
  }
  if ((hasFailed || hasCompleted) && completions !== undefined && failedIndexes !== undefined) {
    const index = firstOverlap(completedIndexes, failedIndexes, completions);
    const words = `failedIndexes and completedIndexes overlap at index: ${index}`;
    if (index !== undefined) faults.push(invalidValue("status.failedIndexes", failedIndexes, words));
  }
  return faults;
}

/** What never goes back. */
function validateProgress(job: Job, next: View, old: View): FieldError[] {
  const faults: FieldError[] = [];
  const ends: [string, keyof View][] = [
    ["Failed", "isFailed"],
    ["Complete", "isComplete"],
    ["FailureTarget", "hasFailureTarget"],
  ];
  for (const [type, field] of ends) {
    if (old[field] && !next[field]) {
      faults.push(invalidOmitted(conditions, `cannot disable the terminal ${type}=True condition`));
    }
  }
  const { failed = 0, succeeded = 0, startTime, completionTime } = next.status;
  if (failed < (old.status.failed ?? 0)) {
    faults.push(invalidValue("status.failed", failed, "cannot decrease the failed counter"));
  }
  const isElastic = job.spec?.completionMode === "Indexed" && job.spec.completions === job.spec.parallelism;
  if (!isElastic && succeeded < (old.status.succeeded ?? 0)) {
    faults.push(invalidValue("status.succeeded", succeeded, "cannot decrease the succeeded counter"));
  }
  if (completionTime && old.status.completionTime && completionTime !== old.status.completionTime) {
    faults.push(invalidValue("status.completionTime", completionTime, "completionTime cannot be mutated"));
  }
  const isResumed = old.isSuspended && !next.isSuspended;
  if (old.status.startTime && old.status.startTime !== startTime && !job.spec?.suspend && !isResumed) {
    faults.push(required("status.startTime", "startTime cannot be removed for unsuspended job"));
  }
  if (old.hasSucceeded && !next.hasSucceeded) {
    faults.push(invalidOmitted(conditions, "cannot disable the SuccessCriteriaMet=True condition"));
  }
  if (old.isComplete && !old.hasSucceeded && next.hasSucceeded) {
    const words = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
    faults.push(invalidOmitted(conditions, words));
  }
  return faults;
}

/** A status as a Job's controller writes it. */
export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const next = view(job);
  const before = view(old);
  return [
    ...validateCounts(next),
    ...validateEnd(next, before),
    ...validateIndexes(job, before.status),
    ...validateProgress(job, next, before),
  ];
}
