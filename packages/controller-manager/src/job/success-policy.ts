// Whether an Indexed Job has succeeded before all of its indexes have. Pure: upstream's matchSuccessPolicy.

import type { Job } from "@picokube/api/batch/v1";
import { countCommon, countIndexes, type Intervals, parseIntervals } from "./index-intervals.js";

type Policy = NonNullable<NonNullable<Job["spec"]>["successPolicy"]>;

/** The message of the first rule that is met. */
export function matchSuccessPolicy(
  policy: Policy | undefined,
  { succeeded, completions }: { succeeded: Intervals; completions: number },
): string | undefined {
  if (!policy || succeeded.length === 0) return undefined;
  const index = policy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined)
      return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
    const required = parseIntervals(succeededIndexes, completions);
    if (required.length === 0) return false;
    const met = countCommon(required, succeeded);
    return met === countIndexes(required) || (succeededCount !== undefined && met >= succeededCount);
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
