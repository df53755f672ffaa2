// Jobs: the kind's declaration.

import { setJobDefaults } from "@picokube/api/batch/defaults";
import { type Job, jobs } from "@picokube/api/batch/v1";
import { humanDuration } from "@picokube/api/duration";
import { ageColumn, column, containerColumns, formatLabelSelector, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateJobStatus } from "./job-status-validation.js";
import { validateJob, validateJobUpdate } from "./job-validation.js";

function status(job: Job): string {
  const has = (type: string) => (job.status?.conditions ?? []).some((c) => c.type === type && c.status === "True");
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp) return "Terminating";
  if (has("Suspended")) return "Suspended";
  if (has("FailureTarget")) return "FailureTarget";
  if (has("SuccessCriteriaMet")) return "SuccessCriteriaMet";
  return "Running";
}

function completions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration({ status }: Job, now: number): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

const columns: Column<Job>[] = [
  nameColumn,
  column("Status", status, { description: "Status of the job." }),
  column("Completions", completions, { field: "batch.v1.JobStatus.succeeded" }),
  column("Duration", duration, { description: "Time required to complete the job." }),
  ageColumn,
  ...containerColumns<Job>(({ spec }) => spec?.template?.spec),
  column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), {
    wide: true,
    field: "batch.v1.JobSpec.selector",
  }),
];

const controllerUid = "batch.kubernetes.io/controller-uid";
const legacyControllerUid = "controller-uid";
const jobName = "batch.kubernetes.io/job-name";
const legacyJobName = "job-name";

/** Gives a Job without manualSelector the selector and labels that only its own pods carry (upstream: generateSelector). */
function generateSelector(job: Job): void {
  const { spec, metadata } = job;
  if (!spec || spec.manualSelector || !spec.template) return;
  const { name = "" } = metadata;
  const generated = {
    [legacyJobName]: name,
    [jobName]: name,
    [legacyControllerUid]: metadata.uid,
    [controllerUid]: metadata.uid,
  };
  const template = spec.template.metadata;
  spec.template.metadata = { ...template, labels: { ...generated, ...template?.labels } };
  const matchLabels = { [controllerUid]: metadata.uid, ...spec.selector?.matchLabels };
  spec.selector = { ...spec.selector, matchLabels };
}

/** The definition of jobs. */
export const jobDefinition = define<Job>({
  resource: jobs,
  storagePrefix: "jobs",
  applyDefaults: setJobDefaults,
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate: generateSelector,
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  validateStatusUpdate: validateJobStatus,
  unknownField: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  columns,
});
