// Group "coordination.k8s.io" version v1: the types and names of its kinds.

import type { ILease } from "kubernetes-models/coordination.k8s.io/v1/Lease";
import type { ILeaseSpec } from "kubernetes-models/coordination.k8s.io/v1/LeaseSpec";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type Lease = Kind<ILease>;
export const leases: Resource<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  resource: "leases",
  singular: "lease",
  namespaced: true,
  shortNames: [],
  categories: [],
};
export type LeaseSpec = ILeaseSpec;
