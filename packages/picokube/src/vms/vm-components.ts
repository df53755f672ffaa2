// What runs in a local VM, in the order it is started: its engine, its kubelet, its kube-proxy. Starts nothing.

import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.js";
import { type ComponentSpec, componentSpec } from "../cluster/components.js";
import { clusterInVm, insideVm, pathsOfVm, type Vm } from "./vm.js";
import { engineSpec } from "./vm-engine.js";

/** The VM's processes as its supervisor keeps them. */
export function vmComponentSpecs(cluster: Cluster, vm: Vm): ComponentSpec[] {
  const seen = clusterInVm(cluster, vm);
  const kubelet = componentSpec(seen, "kubelet");
  const proxy = componentSpec(seen, "kube-proxy");
  const inside = ({ argv }: ComponentSpec, flags: readonly string[] = []) => [...insideVm(vm), ...argv, ...flags];
  return [
    engineSpec(vm, join(seen.logDir, "dockerd.log")),
    {
      ...kubelet,
      argv: inside(kubelet, [
        `--docker-endpoint=unix://${pathsOfVm(vm).socket}`,
        `--cgroup-root=${vm.cgroup}`,
        // So that picokube status can ask from the host.
        `--healthz-bind-address=${vm.address}`,
      ]),
      healthUrl: `http://${vm.address}:${seen.ports.kubeletHealth}/healthz`,
    },
    { ...proxy, argv: inside(proxy), healthUrl: `http://${vm.address}:${seen.ports.proxyHealth}/livez` },
  ];
}
