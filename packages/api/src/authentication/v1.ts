// Group "authentication.k8s.io" version v1: the types and names of its kinds.

import type { ISelfSubjectReview } from "kubernetes-models/authentication.k8s.io/v1/SelfSubjectReview";
import type { ITokenRequest } from "kubernetes-models/authentication.k8s.io/v1/TokenRequest";
import type { ITokenReview } from "kubernetes-models/authentication.k8s.io/v1/TokenReview";
import type { IUserInfo } from "kubernetes-models/authentication.k8s.io/v1/UserInfo";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type TokenReview = Kind<ITokenReview>;
export const tokenreviews: Resource<TokenReview> = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  resource: "tokenreviews",
  singular: "tokenreview",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type SelfSubjectReview = Kind<ISelfSubjectReview>;
export const selfsubjectreviews: Resource<SelfSubjectReview> = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  resource: "selfsubjectreviews",
  singular: "selfsubjectreview",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type TokenRequest = Kind<ITokenRequest>;
export const tokenrequests: Resource<TokenRequest> = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  resource: "tokenrequests",
  singular: "tokenrequest",
  namespaced: true,
  shortNames: [],
  categories: [],
};
export type UserInfo = IUserInfo;
