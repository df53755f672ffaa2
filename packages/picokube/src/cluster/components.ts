// How each component is started: its command line, its log and where its health is asked. The flags are upstream's, so
// that each line can be typed by hand. Starts nothing.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nthIp } from "./cidr.js";
import { type Cluster, type ComponentName, type ProcessName, pathsOf } from "./cluster.js";

export interface ComponentSpec {
  readonly name: ProcessName;
  /** The executable and its arguments. */
  readonly argv: readonly string[];
  readonly logFile: string;
  /** Answers 200 when the component is well. */
  readonly healthUrl: string;
  /** A file that another component makes: this one is not started before it is there. */
  readonly needs?: string;
}

/** How node runs a component, as in its executable's first line: a small young generation everywhere (the DNS server's is
 *  larger: each datagram leaves garbage, and collecting it took a quarter of its time), and a compiler that keeps the
 *  kubelet small, which waits for the engine more than it computes. */
function nodeFlags(name: ComponentName): readonly string[] {
  const small = `--max-semi-space-size=${name === "cluster-dns" ? 8 : 2}`;
  return name === "kubelet" ? [small, "--optimize-for-size"] : [small];
}

/** Executables lie where npm workspaces put their packages, beside this one. */
function executable(packageName: string, name: string): string {
  return fileURLToPath(new URL(`../../../${packageName}/bin/${name}.js`, import.meta.url));
}

/** All components that run on this machine, in the order they are started. */
export function componentSpecs(cluster: Cluster): ComponentSpec[] {
  const controlPlane = [apiServer(cluster), controllerManager(cluster), scheduler(cluster)];
  if (cluster.joined) return [kubelet(cluster), { ...kubeProxy(cluster), needs: kubeletKubeconfig(cluster) }];
  return cluster.controlPlaneOnly
    ? controlPlane
    : [controlPlane[0]!, kubelet(cluster), ...controlPlane.slice(1), kubeProxy(cluster), clusterDns(cluster)];
}

/** The command line of one component without what makes it run: for `kubelet --cleanup` and the like. */
export function commandOf(cluster: Cluster, name: ComponentName): readonly string[] {
  return componentSpec(cluster, name).argv;
}

/** How one component is started. */
export function componentSpec(cluster: Cluster, name: ComponentName): ComponentSpec {
  const all: Record<ComponentName, (cluster: Cluster) => ComponentSpec> = {
    "kube-apiserver": apiServer,
    "kube-controller-manager": controllerManager,
    "kube-scheduler": scheduler,
    kubelet,
    "kube-proxy": kubeProxy,
    "cluster-dns": clusterDns,
  };
  return all[name](cluster);
}

function spec(
  cluster: Cluster,
  {
    name,
    packageName,
    flags,
    healthUrl,
  }: { name: ComponentName; packageName: string; flags: readonly string[]; healthUrl: string },
): ComponentSpec {
  const extra = (cluster.componentArgs[name] ?? []).map((arg) => `--${arg.replace(/^--/, "")}`);
  return {
    name,
    argv: [process.execPath, ...nodeFlags(name), executable(packageName, name), ...flags, ...extra],
    logFile: join(cluster.logDir, `${name}.log`),
    healthUrl,
  };
}

function apiServer(cluster: Cluster): ComponentSpec {
  const { pki, store } = pathsOf(cluster);
  return spec(cluster, {
    name: "kube-apiserver",
    packageName: "apiserver",
    healthUrl: `https://127.0.0.1:${cluster.ports.securePort}/livez`,
    flags: [
      `--data-dir=${store}`,
      `--secure-port=${cluster.ports.securePort}`,
      `--advertise-address=${cluster.nodeIp}`,
      `--scheduler-port=${cluster.ports.scheduler}`,
      `--controller-manager-port=${cluster.ports.controllerManager}`,
      `--service-cluster-ip-range=${cluster.serviceCidr}`,
      `--client-ca-file=${pki}/ca.crt`,
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
      "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
      `--kubelet-certificate-authority=${pki}/ca.crt`,
      `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
      `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
      `--service-account-issuer=https://kubernetes.default.svc.${cluster.clusterDomain}`,
      `--service-account-key-file=${pki}/sa.pub`,
      `--service-account-signing-key-file=${pki}/sa.key`,
      `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      "--authorization-mode=Node,RBAC",
      "--enable-bootstrap-token-auth=true",
      "--allow-privileged=true",
    ],
  });
}

function controllerManager(cluster: Cluster): ComponentSpec {
  const { pki, kubeconfigs } = pathsOf(cluster);
  return spec(cluster, {
    name: "kube-controller-manager",
    packageName: "controller-manager",
    healthUrl: `https://127.0.0.1:${cluster.ports.controllerManager}/healthz`,
    flags: [
      `--kubeconfig=${kubeconfigs}/kube-controller-manager.kubeconfig`,
      `--secure-port=${cluster.ports.controllerManager}`,
      "--bind-address=127.0.0.1",
      `--tls-cert-file=${pki}/kube-controller-manager.crt`,
      `--tls-private-key-file=${pki}/kube-controller-manager.key`,
      `--client-ca-file=${pki}/ca.crt`,
      "--controllers=*,bootstrap-signer-controller,token-cleaner-controller,kubelet-serving-approver-controller,service-lb-controller",
      `--root-ca-file=${pki}/ca.crt`,
      `--cluster-signing-cert-file=${pki}/ca.crt`,
      `--cluster-signing-key-file=${pki}/ca.key`,
      `--service-account-private-key-file=${pki}/sa.key`,
      "--allocate-node-cidrs=true",
      `--cluster-cidr=${cluster.podCidr}`,
      "--node-cidr-mask-size=24",
      "--leader-elect=true",
      // Upstream's 20 a second would make a Deployment of 1,000 replicas take a minute.
      "--kube-api-qps=200",
      "--kube-api-burst=400",
    ],
  });
}

function scheduler(cluster: Cluster): ComponentSpec {
  const { pki, config } = pathsOf(cluster);
  return spec(cluster, {
    name: "kube-scheduler",
    packageName: "scheduler",
    healthUrl: `https://127.0.0.1:${cluster.ports.scheduler}/healthz`,
    flags: [
      `--config=${config}/kube-scheduler.yaml`,
      `--secure-port=${cluster.ports.scheduler}`,
      "--bind-address=127.0.0.1",
      `--tls-cert-file=${pki}/kube-scheduler.crt`,
      `--tls-private-key-file=${pki}/kube-scheduler.key`,
      `--client-ca-file=${pki}/ca.crt`,
    ],
  });
}

function kubelet(cluster: Cluster): ComponentSpec {
  const paths = pathsOf(cluster);
  return spec(cluster, {
    name: "kubelet",
    packageName: "kubelet",
    healthUrl: `http://127.0.0.1:${cluster.ports.kubeletHealth}/healthz`,
    flags: [
      `--config=${paths.config}/kubelet.yaml`,
      `--kubeconfig=${kubeletKubeconfig(cluster)}`,
      ...(cluster.joined
        ? [`--bootstrap-kubeconfig=${paths.kubeconfigs}/bootstrap-kubelet.kubeconfig`, `--cert-dir=${paths.pki}`]
        : []),
      `--hostname-override=${cluster.nodeName}`,
      `--node-ip=${cluster.nodeIp}`,
      `--root-dir=${paths.kubelet}`,
      `--pod-bridge=${cluster.podBridge}`,
      `--chain-prefix=${cluster.chainPrefix}`,
      `--cluster-cidr=${cluster.podCidr}`,
    ],
  });
}

/** What a node's kubelet is known by; on a joined machine its kube-proxy comes by it too. */
export function kubeletKubeconfig(cluster: Cluster): string {
  return `${pathsOf(cluster).kubeconfigs}/kubelet.kubeconfig`;
}

function kubeProxy(cluster: Cluster): ComponentSpec {
  const { config } = pathsOf(cluster);
  return spec(cluster, {
    name: "kube-proxy",
    packageName: "kube-proxy",
    healthUrl: `http://127.0.0.1:${cluster.ports.proxyHealth}/livez`,
    flags: [
      `--config=${config}/kube-proxy.yaml`,
      `--hostname-override=${cluster.nodeName}`,
      `--chain-prefix=${cluster.chainPrefix}`,
    ],
  });
}

function clusterDns(cluster: Cluster): ComponentSpec {
  const { kubeconfigs } = pathsOf(cluster);
  return spec(cluster, {
    name: "cluster-dns",
    packageName: "cluster-dns",
    healthUrl: `http://127.0.0.1:${cluster.ports.dnsHealth}/healthz`,
    flags: [
      `--kubeconfig=${kubeconfigs}/cluster-dns.kubeconfig`,
      `--cluster-domain=${cluster.clusterDomain}`,
      `--bind-address=${cluster.nodeIp}`,
      `--port=${cluster.ports.dns}`,
      `--health-port=${cluster.ports.dnsHealth}`,
      // For those who scrape kube-dns:9153: the health port's number, on the address that pods reach.
      `--metrics-bind-address=${cluster.nodeIp}:${cluster.ports.dnsHealth}`,
    ],
  });
}

/** The DNS server's VIP: the tenth address of the service range, as kubeadm has it. */
export function dnsVip(cluster: Cluster): string {
  return nthIp(cluster.serviceCidr, 10, "--service-cidr");
}
