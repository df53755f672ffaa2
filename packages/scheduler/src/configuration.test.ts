// KubeSchedulerConfiguration: defaults, profiles, faults.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { readConfiguration } from "./configuration.js";
import { noVolumes } from "./framework/volume-lookups.js";

const lookups = { namespaceLabels: () => undefined, siblingSelector: () => undefined, volumes: noVolumes };

test("configuration files", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-scheduler-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "config.yaml");
  const read = (body: string) => {
    writeFileSync(path, `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n${body}`);
    return readConfiguration(path);
  };
  const defaults = await readConfiguration(undefined);
  t.match(defaults, { initialBackoffMs: 1000, maxBackoffMs: 10_000, leaderElection: { leaderElect: true } });
  t.equal(defaults.profiles[0]?.schedulerName, "default-scheduler");

  const { profiles } = await read(`
profiles:
- schedulerName: default-scheduler
- schedulerName: packed
  plugins:
    multiPoint:
      disabled: [{name: ImageLocality}]
    score:
      disabled: [{name: "*"}]
      enabled: [{name: NodeResourcesFit, weight: 5}]
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated}}
`);
  const packed = profiles[1]!.plugins(lookups);
  t.notOk(packed.some(({ plugin }) => plugin.name === "ImageLocality"));
  t.same(
    packed.filter(({ weight }) => weight > 0).map(({ plugin, weight }) => [plugin.name, weight]),
    [["NodeResourcesFit", 5]],
  );
  t.ok(packed.every(({ plugin }) => plugin.name !== "NodeName" || plugin.filter));

  const faults: [body: string, message: RegExp][] = [
    ["profils: []", /strict decoding error: unknown field "profils"/],
    ["profiles: [{}, {}]", /Duplicate value: "default-scheduler"/],
    ["profiles: [{plugins: {score: {enabled: [{name: Nope}]}}}]", /plugin "Nope" does not exist/],
    [
      "profiles: [{pluginConfig: [{name: VolumeBinding, args: {bindTimeoutSeconds: -1}}]}]",
      /bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value/,
    ],
    ["podInitialBackoffSeconds: 0", /must be greater than 0/],
    ["podInitialBackoffSeconds: 20", /must be greater than or equal/],
  ];
  for (const [body, message] of faults) await t.rejects(read(body), { name: "ConfigError", message });
});
