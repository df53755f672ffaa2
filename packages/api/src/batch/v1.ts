// Group "batch" version v1: the types and names of its kinds.

import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import type { IJob } from "kubernetes-models/batch/v1/Job";
import type { IJobSpec } from "kubernetes-models/batch/v1/JobSpec";
import type { IJobTemplateSpec } from "kubernetes-models/batch/v1/JobTemplateSpec";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type Job = Kind<IJob>;
export const jobs: Resource<Job> = {
  group: "batch",
  version: "v1",
  kind: "Job",
  resource: "jobs",
  singular: "job",
  namespaced: true,
  shortNames: [],
  categories: ["all"],
};

export type CronJob = Kind<ICronJob>;
export const cronjobs: Resource<CronJob> = {
  group: "batch",
  version: "v1",
  kind: "CronJob",
  resource: "cronjobs",
  singular: "cronjob",
  namespaced: true,
  shortNames: ["cj"],
  categories: ["all"],
};
export type JobSpec = IJobSpec;
export type JobTemplateSpec = IJobTemplateSpec;
