// What a URL and method ask for (apiserver pkg/endpoints/request/requestinfo.go). Pure; knows no resource.

import { parseFieldSelector, requiredFieldValue } from "@picokube/api/selectors/fields";
import { isPathSegmentName } from "@picokube/api/validation/names";

/** Upstream's RequestInfo. */
export interface RequestInfo {
  isResourceRequest: boolean;
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; for other paths the method in lower case. */
  verb: string;
  apiPrefix: string;
  group: string;
  version: string;
  namespace: string;
  resource: string;
  subresource: string;
  name: string;
  /** Of list, watch and deletecollection; "" otherwise, and on the old /watch/ paths, which do not keep to them. */
  fieldSelector: string;
  labelSelector: string;
  /** Path segments from the resource on: what follows a subresource such as proxy. */
  parts: readonly string[];
  readonly query: URLSearchParams;
}

/** Nearly every GET of one object has none: they share this one. */
const NO_QUERY = new URLSearchParams();

const VERBS: { readonly [method: string]: string } = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const VERBS_WITH_SELECTORS = new Set(["list", "watch", "deletecollection"]);
/** After "namespaces/<name>" these are subresources of the namespace, not resources in it. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

/** Reads the request line; a malformed escape throws a URIError. */
export function requestInfoOf(method: string, url: string): RequestInfo {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1));
  const segments = segmentsOf(path);
  const info: RequestInfo = {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    apiPrefix: "",
    group: "",
    version: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    fieldSelector: "",
    labelSelector: "",
    parts: [],
    query,
  };
  const [prefix] = segments;
  if (segments.length < 3 || (prefix !== "api" && prefix !== "apis")) return info;
  info.apiPrefix = prefix;
  let rest = segments.slice(1);
  if (prefix === "apis") {
    if (rest.length < 3) return info;
    info.group = rest[0]!;
    rest = rest.slice(1);
  }
  info.version = rest[0]!;
  rest = rest.slice(1);
  info.verb = VERBS[method] ?? "";
  const verbInPath = (rest[0] === "watch" || rest[0] === "proxy") && rest.length > 1;
  if (rest[0] === "watch" && rest.length > 1) {
    info.verb = "watch";
    rest = rest.slice(1);
  } else if (rest[0] === "proxy" && rest.length > 1) {
    info.verb = "proxy";
    rest = rest.slice(1);
  }
  if (rest[0] === "namespaces" && rest.length > 1) {
    info.namespace = rest[1]!;
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2]!)) rest = rest.slice(2);
  }
  info.parts = rest;
  info.resource = rest[0] ?? "";
  info.name = rest[1] ?? "";
  info.subresource = info.verb === "proxy" ? "" : (rest[2] ?? "");
  if (info.name === "" && (info.verb === "get" || info.verb === "delete")) collectionVerb(info);
  if (!verbInPath && VERBS_WITH_SELECTORS.has(info.verb)) {
    info.fieldSelector = query.get("fieldSelector") ?? "";
    info.labelSelector = query.get("labelSelector") ?? "";
  }
  info.isResourceRequest = true;
  return info;
}

function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment !== "") segments.push(segment.includes("%") ? decodeURIComponent(segment) : segment);
  }
  return segments;
}

function collectionVerb(info: RequestInfo): void {
  if (info.verb === "delete") {
    info.verb = "deletecollection";
    return;
  }
  const watch = info.query.get("watch");
  info.verb = watch !== null && watch !== "false" && watch !== "0" ? "watch" : "list";
  const selector = info.query.get("fieldSelector");
  if (selector === null) return;
  try {
    // One named object may be listed and watched by who may only see that one.
    const name = requiredFieldValue(parseFieldSelector(selector), "metadata.name") ?? "";
    if (isPathSegmentName(name).length === 0) info.name = name;
  } catch {
    // The handler answers for the bad selector.
  }
}
