import type { VolumeMount } from "@picokube/api/core/v1";
import { test } from "tap";
import { mountStatuses, resolveRecursiveReadOnly } from "./recursive-read-only.js";

const mount = (more: Partial<VolumeMount> = {}): VolumeMount => ({
  name: "v",
  mountPath: "/v",
  readOnly: true,
  ...more,
});
const refused = (why: string) => `volume "v" requested recursive read-only mode, but it is not ${why}`;

test("read-only all the way down", (t) => {
  const wishes: [Partial<VolumeMount>, supported: boolean | string, unsupported: boolean | string][] = [
    [{}, false, false],
    [{ recursiveReadOnly: "Disabled" }, false, false],
    [{ recursiveReadOnly: "IfPossible" }, true, false],
    [{ recursiveReadOnly: "IfPossible", mountPropagation: "None" }, true, false],
    [{ recursiveReadOnly: "Enabled" }, true, refused("supported by the runtime")],
    [{ recursiveReadOnly: "Enabled", readOnly: false }, refused("read-only"), refused("read-only")],
    [
      { recursiveReadOnly: "IfPossible", mountPropagation: "HostToContainer" },
      refused('compatible with propagation "HostToContainer"'),
      refused('compatible with propagation "HostToContainer"'),
    ],
  ];
  for (const [wish, ...results] of wishes) {
    for (const [index, wanted] of results.entries()) {
      const resolve = () => resolveRecursiveReadOnly(mount(wish), index === 0);
      if (typeof wanted === "string") t.throws(resolve, { message: wanted }, JSON.stringify(wish));
      else t.equal(resolve(), wanted, JSON.stringify(wish));
    }
  }
  const volumeMounts = [
    { name: "open", mountPath: "/open" },
    mount(),
    mount({ mountPath: "/if", recursiveReadOnly: "IfPossible" }),
    mount({ mountPath: "/must", recursiveReadOnly: "Enabled" }),
  ];
  const shown = (isSupported: boolean) => mountStatuses({ name: "c", volumeMounts }, isSupported);
  const status = (mountPath: string, recursiveReadOnly: string) => ({
    name: "v",
    mountPath,
    readOnly: true,
    recursiveReadOnly,
  });
  const open = { name: "open", mountPath: "/open" };
  t.same(shown(true), [open, status("/v", "Disabled"), status("/if", "Enabled"), status("/must", "Enabled")]);
  t.same(shown(false), [open, status("/v", "Disabled"), status("/if", "Disabled"), status("/must", "Disabled")]);
  t.same(mountStatuses({ name: "c" }, true), []);
  t.end();
});
