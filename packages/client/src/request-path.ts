// Paths and queries of the REST API. Pure.

import { apiVersionOf, type Resource } from "@picokube/api/resource";

export interface Target {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** "/api/v1/namespaces/default/pods/web/log". */
export function pathOf(resource: Resource, { namespace, name, subresource }: Target): string {
  const root = resource.group === "" ? "/api/" : "/apis/";
  const parts = [
    ...(resource.namespaced && namespace ? ["namespaces", namespace] : []),
    resource.resource,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : subresource.split("/")),
  ];
  return `${root}${apiVersionOf(resource)}/${parts.map(encodeURIComponent).join("/")}`;
}

/** "?a=1&b=true", or nothing; undefined and false are left out. */
export function queryOf(parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== false && value !== "") query.set(name, String(value));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
