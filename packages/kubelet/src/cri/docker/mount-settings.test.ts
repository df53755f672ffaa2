import { test } from "tap";
import type { Mount } from "../runtime.js";
import { hasRecursiveReadOnly, mountSettings } from "./mount-settings.js";

const mount = (more: Partial<Mount>): Mount => ({
  hostPath: "/host",
  containerPath: "/inside",
  readOnly: false,
  propagation: "None",
  ...more,
});
const plain = { Type: "bind", Source: "/host", Target: "/inside" };

test("mounts as old and new engines are told of them", (t) => {
  const table: [Partial<Mount>, onOld: object | undefined, onNew: object | undefined][] = [
    [{}, undefined, undefined],
    [{ propagation: "HostToContainer" }, { Propagation: "rslave" }, { Propagation: "rslave" }],
    [{ propagation: "Bidirectional" }, { Propagation: "rshared" }, { Propagation: "rshared" }],
    [{ readOnly: true }, undefined, { ReadOnlyNonRecursive: true }],
    [
      { readOnly: true, propagation: "HostToContainer" },
      { Propagation: "rslave" },
      { Propagation: "rslave", ReadOnlyNonRecursive: true },
    ],
    [{ readOnly: true, recursiveReadOnly: true }, undefined, { Propagation: "rprivate", ReadOnlyForceRecursive: true }],
  ];
  for (const [more, ...wanted] of table) {
    for (const [index, BindOptions] of wanted.entries()) {
      t.same(
        mountSettings(mount(more), { recursiveReadOnly: index === 1 }),
        { ...plain, ReadOnly: more.readOnly === true, ...(BindOptions ? { BindOptions } : {}) },
        JSON.stringify(more),
      );
    }
  }
  t.end();
});

test("which engines keep what lies below a read-only mount read-only", (t) => {
  for (const [apiVersion, kernelVersion, wanted] of [
    ["1.41", "6.1.0-13-amd64", false],
    ["1.44", "5.10.0", false],
    ["1.44", "5.12.0", true],
    ["1.52", "6.18.44-generic", true],
    ["2.0", "5.15", true],
    ["", "", false],
  ] as const) {
    t.equal(hasRecursiveReadOnly({ apiVersion, kernelVersion }), wanted, `${apiVersion} on ${kernelVersion}`);
  }
  t.end();
});
