// The files that the kubelet itself keeps for a pod beside its volumes: /etc/hosts, /etc/resolv.conf and the
// termination logs. They lie under <root-dir>/pods/<uid>.

import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import type { Mount } from "../cri/runtime.js";
import { type DnsWarning, parseResolvConf, podDnsConfig, resolvConfText } from "../network/dns-config.js";
import { hostsFileText } from "../network/hosts-file.js";
import type { KubeletSettings } from "../parts.js";

export interface PodFiles {
  /** Writes hosts and resolv.conf anew; what of the pod's wishes could not be kept comes back. */
  write(pod: Pod, podIps: readonly string[]): readonly DnsWarning[];
  /** Mounts of a container; makes its termination log. */
  mountsFor(pod: Pod, container: Container | EphemeralContainer, attempt: number): Mount[];
  /** With the pod's directory, by which it is known: the last thing to go. */
  remove(podUid: string): void;
}

const hostsPath = "/etc/hosts";
const resolvConfPath = "/etc/resolv.conf";
const defaultTerminationLog = "/dev/termination-log";

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const bind = (hostPath: string, containerPath: string): Mount => ({
  hostPath,
  containerPath,
  readOnly: false,
  propagation: "None",
});

/** Makes the keeper of these files. */
export function createPodFiles(settings: KubeletSettings): PodFiles {
  const folderOf = (uid: string) => join(settings.rootDir, "pods", uid);
  const own = (uid: string) => ({
    hosts: join(folderOf(uid), "etc-hosts"),
    resolvConf: join(folderOf(uid), "resolv.conf"),
    containers: join(folderOf(uid), "containers"),
  });

  const hostDns = () => (settings.resolvConf === "" ? undefined : parseResolvConf(readIfThere(settings.resolvConf)));

  return {
    write(pod, podIps) {
      const files = own(pod.metadata.uid);
      mkdirSync(folderOf(pod.metadata.uid), { recursive: true, mode: 0o750 });
      const { clusterDns, clusterDomain } = settings;
      const nodeHosts = pod.spec?.hostNetwork ? readIfThere(hostsPath) : "";
      writeFileSync(files.hosts, hostsFileText({ pod, podIps, clusterDomain, nodeHosts }));
      const { config, warnings } = podDnsConfig(pod, { clusterDns, clusterDomain, host: hostDns() });
      writeFileSync(files.resolvConf, resolvConfText(config));
      for (const path of [files.hosts, files.resolvConf]) chmodSync(path, 0o644);
      return warnings;
    },

    mountsFor(pod, container, attempt) {
      const files = own(pod.metadata.uid);
      const taken = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
      const folder = join(files.containers, container.name);
      const terminationLog = join(folder, String(attempt));
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      writeFileSync(terminationLog, "");
      chmodSync(terminationLog, 0o666);
      return [
        bind(files.hosts, hostsPath),
        bind(files.resolvConf, resolvConfPath),
        bind(terminationLog, container.terminationMessagePath || defaultTerminationLog),
      ].filter(({ containerPath }) => !taken.has(containerPath));
    },

    remove(podUid) {
      for (const path of Object.values(own(podUid))) rmSync(path, { recursive: true, force: true });
      // Never what may still be mounted in it.
      if (existsSync(folderOf(podUid))) rmdirSync(folderOf(podUid));
    },
  };
}
