// Group "authorization.k8s.io" version v1: the types and names of its kinds.

import type { ILocalSubjectAccessReview } from "kubernetes-models/authorization.k8s.io/v1/LocalSubjectAccessReview";
import type { INonResourceAttributes } from "kubernetes-models/authorization.k8s.io/v1/NonResourceAttributes";
import type { IResourceAttributes } from "kubernetes-models/authorization.k8s.io/v1/ResourceAttributes";
import type { ISelfSubjectAccessReview } from "kubernetes-models/authorization.k8s.io/v1/SelfSubjectAccessReview";
import type { ISelfSubjectRulesReview } from "kubernetes-models/authorization.k8s.io/v1/SelfSubjectRulesReview";
import type { ISubjectAccessReview } from "kubernetes-models/authorization.k8s.io/v1/SubjectAccessReview";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type SubjectAccessReview = Kind<ISubjectAccessReview>;
export const subjectaccessreviews: Resource<SubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  resource: "subjectaccessreviews",
  singular: "subjectaccessreview",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type LocalSubjectAccessReview = Kind<ILocalSubjectAccessReview>;
export const localsubjectaccessreviews: Resource<LocalSubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  resource: "localsubjectaccessreviews",
  singular: "localsubjectaccessreview",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export type SelfSubjectAccessReview = Kind<ISelfSubjectAccessReview>;
export const selfsubjectaccessreviews: Resource<SelfSubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  resource: "selfsubjectaccessreviews",
  singular: "selfsubjectaccessreview",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type SelfSubjectRulesReview = Kind<ISelfSubjectRulesReview>;
export const selfsubjectrulesreviews: Resource<SelfSubjectRulesReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  resource: "selfsubjectrulesreviews",
  singular: "selfsubjectrulesreview",
  namespaced: false,
  shortNames: [],
  categories: [],
};
export type ResourceAttributes = IResourceAttributes;
export type NonResourceAttributes = INonResourceAttributes;
