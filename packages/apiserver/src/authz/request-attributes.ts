// What of a request the authorizers judge (upstream: filters.GetAuthorizerAttributes). Judges nothing.

import { type FieldRequirement, parseFieldSelector } from "@picokube/api/selectors/fields";
import { parseLabelSelector, type Requirement } from "@picokube/api/selectors/labels";
import type { UserInfo } from "../authn/authenticator.js";
import type { RequestInfo } from "../request/request-info.js";
import type { Attributes } from "./authorizer.js";

/** The attributes of a request by this user. */
export function attributesOf(info: RequestInfo, user: UserInfo): Attributes {
  const { verb, path } = info;
  if (!info.isResourceRequest) return { user, verb, path };
  const { group, version, resource, subresource, namespace, name } = info;
  return {
    user,
    verb,
    path,
    resource: { group, version, resource, subresource, namespace, name, ...selectorsOf(info) },
  };
}

export interface Selectors {
  readonly fieldSelector?: readonly FieldRequirement[];
  readonly labelSelector?: readonly Requirement[];
}

/** Selectors as requirements. A text that is no selector narrows nothing: the handler refuses it afterwards. */
export function selectorsOf(texts: { readonly fieldSelector: string; readonly labelSelector: string }): Selectors {
  if (texts.fieldSelector === "" && texts.labelSelector === "") return {};
  const fieldSelector = unlessMalformed(() => parseFieldSelector(texts.fieldSelector).requirements);
  const labelSelector = unlessMalformed(() => parseLabelSelector(texts.labelSelector).requirements);
  return {
    ...(fieldSelector.length > 0 ? { fieldSelector } : {}),
    ...(labelSelector.length > 0 ? { labelSelector } : {}),
  };
}

function unlessMalformed<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch {
    return [];
  }
}
