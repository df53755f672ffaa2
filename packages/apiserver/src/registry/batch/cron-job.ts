// CronJobs: the kind's declaration.

import { setCronJobDefaults } from "@picokube/api/batch/defaults";
import { type CronJob, cronjobs } from "@picokube/api/batch/v1";
import {
  ageColumn,
  column,
  containerColumns,
  formatBoolean,
  formatLabelSelector,
  nameColumn,
  timestampSince,
} from "../columns.js";
import { define } from "../define.js";
import { validateCronJob, validateCronJobUpdate } from "./cron-job-validation.js";

/** The definition of cronjobs. */
export const cronJobDefinition = define<CronJob>({
  resource: cronjobs,
  storagePrefix: "cronjobs",
  applyDefaults: setCronJobDefaults,
  hasStatus: true,
  hasGeneration: true,
  validate: validateCronJob,
  validateUpdate: validateCronJobUpdate,
  columns: [
    nameColumn,
    column("Schedule", ({ spec }) => spec?.schedule ?? "", { field: "batch.v1.CronJobSpec.schedule" }),
    column("Timezone", ({ spec }) => spec?.timeZone ?? "<none>", { field: "batch.v1.CronJobSpec.timeZone" }),
    column("Suspend", ({ spec }) => formatBoolean(spec?.suspend), {
      type: "boolean",
      field: "batch.v1.CronJobSpec.suspend",
    }),
    column("Active", ({ status }) => (status?.active ?? []).length, {
      type: "integer",
      field: "batch.v1.CronJobStatus.active",
    }),
    column(
      "Last Schedule",
      ({ status }, now) => (status?.lastScheduleTime ? timestampSince(status.lastScheduleTime, now) : "<none>"),
      { field: "batch.v1.CronJobStatus.lastScheduleTime" },
    ),
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template?.spec),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.jobTemplate?.spec?.selector), {
      wide: true,
      field: "batch.v1.JobSpec.selector",
    }),
  ],
});
