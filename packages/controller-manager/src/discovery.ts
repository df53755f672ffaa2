// Which resources the server has right now, CustomResources included: aggregated discovery where it is served, the plain
// documents elsewhere. Keeps nothing between calls.

import { type GroupVersionKind, parseApiVersion, type Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";

export interface DiscoveredResource {
  readonly resource: Resource;
  readonly verbs: ReadonlySet<string>;
}

export interface Discovery {
  /** Each resource once, in its group's preferred version. */
  readonly preferred: readonly DiscoveredResource[];
  /** In which resource a kind of any served version lives. */
  resourceOfKind(kind: GroupVersionKind): Resource | undefined;
  /** What could not be discovered: the reason by "group/version". */
  readonly failures: ReadonlyMap<string, string>;
}

/** One group version's resources; an error in its place when the server behind it did not answer. */
export interface GroupVersionResources {
  readonly groupVersion: string;
  readonly resources: readonly DiscoveredResource[];
  readonly error?: string;
}

interface AggregatedList {
  kind?: string;
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      freshness?: string;
      resources?: {
        resource: string;
        responseKind?: { group?: string; version?: string; kind?: string };
        scope: string;
        singularResource?: string;
        verbs?: string[];
        shortNames?: string[];
        categories?: string[];
      }[];
    }[];
  }[];
}

interface PlainResource {
  name: string;
  singularName?: string;
  namespaced: boolean;
  kind: string;
  verbs?: string[];
  shortNames?: string[];
  categories?: string[];
}

interface PlainGroup {
  preferredVersion?: { groupVersion: string };
  versions: { groupVersion: string }[];
}

const aggregatedAccept =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/** Asks the server; throws when it cannot even name its groups. */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const roots = await Promise.all([
    getJson(client, "/api", { accept: aggregatedAccept, signal }),
    getJson(client, "/apis", { accept: aggregatedAccept, signal }),
  ]);
  const [core, groups] = roots as [AggregatedList, AggregatedList];
  if (core.kind === "APIGroupDiscoveryList" && groups.kind === "APIGroupDiscoveryList")
    return discoveryOf([...versionsOf(core), ...versionsOf(groups)]);
  const served = [
    { groupVersion: "v1" },
    ...((groups as unknown as { groups?: PlainGroup[] }).groups ?? []).flatMap(preferredFirst),
  ];
  return discoveryOf(await Promise.all(served.map(({ groupVersion }) => plainVersion(client, groupVersion, signal))));
}

/** Builds the answer from group versions, those of one group in the order of preference. */
export function discoveryOf(versions: readonly GroupVersionResources[]): Discovery {
  const preferred = new Map<string, DiscoveredResource>();
  const byKind = new Map<string, Resource>();
  const failures = new Map<string, string>();
  for (const { groupVersion, resources, error } of versions) {
    if (error !== undefined) failures.set(groupVersion, error);
    for (const discovered of resources) {
      const { group, resource } = discovered.resource;
      if (!preferred.has(`${group}/${resource}`)) preferred.set(`${group}/${resource}`, discovered);
      const kind = kindKey(discovered.resource);
      if (!byKind.has(kind)) byKind.set(kind, discovered.resource);
    }
  }
  return { preferred: [...preferred.values()], failures, resourceOfKind: (kind) => byKind.get(kindKey(kind)) };
}

/** Reads an APIGroupDiscoveryList. */
export function versionsOf(list: AggregatedList): GroupVersionResources[] {
  return (list.items ?? []).flatMap(({ metadata, versions }) => {
    const group = metadata?.name ?? "";
    return (versions ?? []).map(({ version, freshness, resources }) => {
      const groupVersion = group === "" ? version : `${group}/${version}`;
      if (freshness === "Stale")
        return { groupVersion, resources: [], error: `stale GroupVersion discovery: ${groupVersion}` };
      return {
        groupVersion,
        resources: (resources ?? [])
          .filter(({ responseKind }) => responseKind?.kind)
          .map((item) => ({
            resource: {
              group,
              version,
              resource: item.resource,
              kind: item.responseKind!.kind!,
              singular: item.singularResource ?? "",
              namespaced: item.scope === "Namespaced",
              shortNames: item.shortNames ?? [],
              categories: item.categories ?? [],
            },
            verbs: new Set(item.verbs),
          })),
      };
    });
  });
}

/** Upstream's words for a discovery that failed in part. */
export function discoveryFailureMessage(failures: ReadonlyMap<string, string>): string {
  const each = [...failures].map(([groupVersion, why]) => `${groupVersion}: ${why}`);
  return `unable to retrieve the complete list of server APIs: ${each.join(", ")}`;
}

function preferredFirst({ preferredVersion, versions }: PlainGroup): { groupVersion: string }[] {
  const first = preferredVersion?.groupVersion;
  return [...versions].sort((a, b) => Number(b.groupVersion === first) - Number(a.groupVersion === first));
}

async function plainVersion(
  client: Client,
  groupVersion: string,
  signal?: AbortSignal,
): Promise<GroupVersionResources> {
  const { group, version } = parseApiVersion(groupVersion);
  const path = group === "" ? `/api/${version}` : `/apis/${groupVersion}`;
  try {
    const list = (await getJson(client, path, { accept: "application/json", signal })) as {
      resources?: PlainResource[];
    };
    const whole = (list.resources ?? []).filter(({ name }) => !name.includes("/"));
    return {
      groupVersion,
      resources: whole.map((item) => ({
        resource: {
          group,
          version,
          resource: item.name,
          kind: item.kind,
          singular: item.singularName ?? "",
          namespaced: item.namespaced,
          shortNames: item.shortNames ?? [],
          categories: item.categories ?? [],
        },
        verbs: new Set(item.verbs),
      })),
    };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { groupVersion, resources: [], error: (error as Error).message };
  }
}

async function getJson(
  client: Client,
  path: string,
  { accept, signal }: { accept: string; signal?: AbortSignal | undefined },
): Promise<unknown> {
  const { status, body } = await client.raw({
    method: "GET",
    path,
    headers: { accept },
    ...(signal ? { signal } : {}),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (status >= 300) {
    const message = status === 503 ? "the server is currently unable to handle the request" : text.slice(0, 200);
    throw new Error(`GET ${path}: ${status}: ${message}`);
  }
  return JSON.parse(text);
}

function kindKey({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}/${kind}`;
}
