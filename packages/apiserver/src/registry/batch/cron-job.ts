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
import { validateCronJob } from "./cron-job-validation.js";

/** The definition of cronjobs. */
export const cronJobDefinition = define<CronJob>({
  resource: cronjobs,
  storagePrefix: "cronjobs",
  applyDefaults: setCronJobDefaults,
  hasStatus: true,
  hasGeneration: true,
  validate: validateCronJob,
  validateUpdate: validateCronJob,
  columns: [
    nameColumn,
    column("Schedule", ({ spec }) => spec?.schedule ?? ""),
    column("Timezone", ({ spec }) => spec?.timeZone ?? "<none>"),
    column("Suspend", ({ spec }) => formatBoolean(spec?.suspend), { type: "boolean" }),
    column("Active", ({ status }) => (status?.active ?? []).length, { type: "integer" }),
    column("Last Schedule", ({ status }, now) =>
      status?.lastScheduleTime ? timestampSince(status.lastScheduleTime, now) : "<none>",
    ),
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template?.spec),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.jobTemplate?.spec?.selector), { wide: true }),
  ],
});
