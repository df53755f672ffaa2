// Numbers that no controller can work with, by table.

import { parseFlags } from "@picokube/component-base/flag-set";
import { test } from "tap";
import { type ControllerManagerValues, flags } from "./options.js";
import { validateOptions } from "./validate-options.js";

const validated = (...argv: string[]) =>
  validateOptions(parseFlags("kube-controller-manager", flags, argv).values as unknown as ControllerManagerValues);

test("flags without a worker or out of bounds are refused", async (t) => {
  t.doesNotThrow(() => validated());
  const rows: [string, string][] = [
    ["--concurrent-job-syncs=0", "concurrent-job-syncs must be greater than 0, but got 0"],
    ["--concurrent-rc-syncs=-1", "concurrent-rc-syncs must be greater than 0, but got -1"],
    [
      "--concurrent-service-endpoint-syncs=51",
      "concurrent-service-endpoint-syncs must not be more than 50, but got 51",
    ],
    ["--max-endpoints-per-slice=0", "max-endpoints-per-slice must not be less than 1, but got 0"],
    [
      "--mirroring-max-endpoints-per-subset=1001",
      "mirroring-max-endpoints-per-subset must not be more than 1000, but got 1001",
    ],
  ];
  for (const [flag, message] of rows) t.throws(() => validated(flag), { name: "ConfigError", message });
  const every = Object.keys(flags).filter((name) => /concurrent-.*-syncs$/.test(name) && !/token/.test(name));
  for (const flag of every) t.throws(() => validated(`--${flag}=0`), { name: "ConfigError" }, flag);
});
