// KubeSchedulerConfiguration v1: read, checked, with upstream's defaults. Knows no flags.

import type { TopologySpreadConstraint } from "@picokube/api/core/v1";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { parseDuration } from "@picokube/component-base/duration";
import type { Lookups, WeightedPlugin } from "./framework/plugin.js";
import { noVolumes } from "./framework/volume-lookups.js";
import { defaultPlugins, type PluginArguments } from "./plugins/index.js";
import type { ScoringStrategy } from "./plugins/node-resources-fit.js";

interface PluginEntry {
  name: string;
  weight?: number;
}

interface PluginSet {
  enabled?: PluginEntry[];
  disabled?: PluginEntry[];
}

interface ProfileFile {
  schedulerName?: string;
  percentageOfNodesToScore?: number;
  plugins?: Record<string, PluginSet>;
  pluginConfig?: { name: string; args?: Record<string, unknown> }[];
}

interface ConfigurationFile {
  clientConnection?: { kubeconfig?: string; qps?: number; burst?: number };
  leaderElection?: {
    leaderElect?: boolean;
    leaseDuration?: string;
    renewDeadline?: string;
    retryPeriod?: string;
    resourceName?: string;
    resourceNamespace?: string;
  };
  podInitialBackoffSeconds?: number;
  podMaxBackoffSeconds?: number;
  percentageOfNodesToScore?: number;
  profiles?: ProfileFile[];
}

export interface LeaderElection {
  readonly leaderElect: boolean;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  readonly resourceName: string;
  readonly resourceNamespace: string;
}

export interface ProfileConfiguration {
  readonly schedulerName: string;
  readonly percentageOfNodesToScore: number;
  /** The plugins of this profile, in order. */
  plugins(lookups: Lookups): WeightedPlugin[];
}

export interface SchedulerConfiguration {
  readonly kubeconfig: string | undefined;
  readonly qps: number | undefined;
  readonly burst: number | undefined;
  readonly leaderElection: LeaderElection;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly profiles: readonly ProfileConfiguration[];
}

const FIELDS = new Set([
  ...[
    "apiVersion",
    "kind",
    "clientConnection",
    "leaderElection",
    "parallelism",
    "percentageOfNodesToScore",
    "profiles",
  ],
  ...["podInitialBackoffSeconds", "podMaxBackoffSeconds", "enableProfiling", "enableContentionProfiling", "extenders"],
  ...["healthzBindAddress", "metricsBindAddress", "delayCacheUntilActive"],
]);
/** Extension points that we run; what the file says of others (bind, queueSort, ...) changes nothing here. */
const POINTS = new Set(["multiPoint", "preFilter", "filter", "preScore", "score"]);
/** Upstream's plugins that are no files of ours: what they do is part of the scheduler itself. */
const BUILT_IN = new Set(["PrioritySort", "SchedulingGates", "DefaultPreemption", "DefaultBinder"]);
const noLookups: Lookups = { namespaceLabels: () => undefined, siblingSelector: () => undefined, volumes: noVolumes };

function argumentsOf(pluginConfig: ProfileFile["pluginConfig"] = []): PluginArguments {
  const args = new Map(pluginConfig.map(({ name, args = {} }) => [name, args]));
  const fit = args.get("NodeResourcesFit")?.scoringStrategy as ScoringStrategy | undefined;
  const spread = args.get("PodTopologySpread");
  const bindTimeout = args.get("VolumeBinding")?.bindTimeoutSeconds as number | undefined;
  return {
    scoringStrategy: fit && {
      type: fit.type,
      resources: (fit.resources ?? [{ name: "cpu" }, { name: "memory" }]).map(({ name, weight }) => ({
        name,
        weight: weight || 1,
      })),
    },
    bindTimeoutMs: bindTimeout === undefined ? undefined : bindTimeout * 1000,
    hardPodAffinityWeight: args.get("InterPodAffinity")?.hardPodAffinityWeight as number | undefined,
    defaultConstraints:
      spread?.defaultingType === "List"
        ? ((spread.defaultConstraints as TopologySpreadConstraint[] | undefined) ?? [])
        : undefined,
  };
}

function checkProfile(profile: ProfileFile, at: string): void {
  const known = new Set([...defaultPlugins(noLookups).map(({ plugin }) => plugin.name), ...BUILT_IN]);
  for (const [point, { enabled = [], disabled = [] }] of Object.entries(profile.plugins ?? {})) {
    for (const { name } of [...enabled, ...disabled]) {
      if (name !== "*" && !known.has(name)) {
        throw new ConfigError(`${at}.plugins.${point}: plugin ${JSON.stringify(name)} does not exist`);
      }
    }
  }
  const { scoringStrategy, bindTimeoutMs = 0 } = argumentsOf(profile.pluginConfig);
  if (bindTimeoutMs < 0) {
    throw new ConfigError(
      `${at}.pluginConfig: bindTimeoutSeconds: Invalid value: ${bindTimeoutMs / 1000}: invalid BindTimeoutSeconds, should not be a negative value`,
    );
  }
  const strategy = scoringStrategy?.type;
  if (strategy !== undefined && strategy !== "LeastAllocated" && strategy !== "MostAllocated") {
    throw new ConfigError(
      `${at}.pluginConfig: scoringStrategy.type: Unsupported value: ${JSON.stringify(strategy)}: supported values: "LeastAllocated", "MostAllocated"`,
    );
  }
}

/** Applies one extension point's enabled and disabled plugins. */
function applyPoint(plugins: readonly WeightedPlugin[], point: string, { enabled = [], disabled = [] }: PluginSet) {
  const off = new Set(disabled.map(({ name }) => name));
  const on = new Map(enabled.map(({ name, weight }) => [name, weight]));
  return plugins.flatMap(({ plugin, weight }): WeightedPlugin[] => {
    const { name } = plugin;
    if (on.has(name)) return [{ plugin, weight: on.get(name) ?? weight }];
    if (!off.has("*") && !off.has(name)) return [{ plugin, weight }];
    if (point === "multiPoint") return [];
    if (point === "score" || point === "preScore") return [{ plugin, weight: 0 }];
    const { preFilter: _, filter: __, ...rest } = plugin;
    return [{ plugin: rest, weight }];
  });
}

function profileOf(profile: ProfileFile, percentage: number): ProfileConfiguration {
  return {
    schedulerName: profile.schedulerName ?? "default-scheduler",
    percentageOfNodesToScore: profile.percentageOfNodesToScore ?? percentage,
    plugins(lookups) {
      let plugins = defaultPlugins(lookups, argumentsOf(profile.pluginConfig));
      for (const point of POINTS) plugins = applyPoint(plugins, point, profile.plugins?.[point] ?? {});
      return plugins;
    },
  };
}

function checkFile(file: ConfigurationFile, path: string): void {
  const unknown = Object.keys(file).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) throw new ConfigError(`${path}: strict decoding error: unknown field "${unknown}"`);
  const names = (file.profiles ?? []).map(({ schedulerName }) => schedulerName ?? "default-scheduler");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigError(`${path}: profiles: Duplicate value: "${twice}"`);
  for (const [index, profile] of (file.profiles ?? []).entries()) checkProfile(profile, `${path}: profiles[${index}]`);
  const { podInitialBackoffSeconds: initial = 1, podMaxBackoffSeconds: maximum = 10 } = file;
  if (!(initial > 0)) {
    throw new ConfigError(`${path}: podInitialBackoffSeconds: Invalid value: ${initial}: must be greater than 0`);
  }
  if (maximum < initial) {
    throw new ConfigError(
      `${path}: podMaxBackoffSeconds: Invalid value: ${maximum}: must be greater than or equal to PodInitialBackoffSeconds`,
    );
  }
}

/** The configuration of a file, or upstream's defaults without one. Throws ConfigError. */
export async function readConfiguration(path: string | undefined): Promise<SchedulerConfiguration> {
  const wanted = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };
  const file: ConfigurationFile = path === undefined ? {} : await readConfigFile(path, wanted);
  checkFile(file, path ?? "");
  const election = file.leaderElection ?? {};
  return {
    kubeconfig: file.clientConnection?.kubeconfig,
    qps: file.clientConnection?.qps,
    burst: file.clientConnection?.burst,
    leaderElection: {
      leaderElect: election.leaderElect ?? true,
      leaseDurationMs: parseDuration(election.leaseDuration ?? "15s"),
      renewDeadlineMs: parseDuration(election.renewDeadline ?? "10s"),
      retryPeriodMs: parseDuration(election.retryPeriod ?? "2s"),
      resourceName: election.resourceName ?? "kube-scheduler",
      resourceNamespace: election.resourceNamespace ?? "kube-system",
    },
    initialBackoffMs: (file.podInitialBackoffSeconds ?? 1) * 1000,
    maxBackoffMs: (file.podMaxBackoffSeconds ?? 10) * 1000,
    profiles: (file.profiles?.length ? file.profiles : [{}]).map((profile) =>
      profileOf(profile, file.percentageOfNodesToScore ?? 0),
    ),
  };
}
