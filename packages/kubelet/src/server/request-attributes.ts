// What a request to the kubelet is for the authoriser: a verb on nodes/<subresource>. Upstream's server/auth.go. Pure.

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}

/** The subresources to ask for, the narrowest first; any one that is allowed is enough. */
export function requestSubresources(path: string): string[] {
  if (isBelow(path, "/stats")) return ["stats"];
  if (isBelow(path, "/metrics")) return ["metrics"];
  if (isBelow(path, "/logs")) return ["log"];
  if (isBelow(path, "/checkpoint")) return ["checkpoint"];
  if (isBelow(path, "/pods") || isBelow(path, "/runningpods")) return ["pods", "proxy"];
  if (isBelow(path, "/healthz")) return ["healthz", "proxy"];
  if (isBelow(path, "/configz")) return ["configz", "proxy"];
  return ["proxy"];
}

/** The authoriser's verb of an HTTP method. */
export function requestVerb(method: string | undefined): string {
  return verbs[method ?? "GET"] ?? "";
}
