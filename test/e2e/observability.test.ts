import { readFileSync } from "node:fs";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { adminOf, ask } from "./harness/ask.js";
import { type TestCluster, useCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

interface Listener {
  readonly name: string;
  readonly url: string;
  /** Whether anything but health wants a credential. */
  readonly guarded: boolean;
  /** A check that /readyz?verbose names. */
  readonly check: string;
  /** Some of upstream's metrics; none where the listener has health alone. */
  readonly metrics: readonly string[];
}

function listeners({ nodeIp, ports }: TestCluster): Listener[] {
  return [
    {
      name: "kube-apiserver",
      url: `https://${nodeIp}:${ports.securePort}`,
      guarded: true,
      check: "etcd",
      metrics: ["apiserver_request_total", "apiserver_request_duration_seconds", "apiserver_current_inflight_requests"],
    },
    {
      name: "kube-scheduler",
      url: `https://127.0.0.1:${ports.scheduler}`,
      guarded: true,
      check: "leaderElection",
      metrics: [
        "scheduler_schedule_attempts_total",
        "scheduler_pending_pods",
        "scheduler_cache_size",
        "rest_client_requests_total",
        "leader_election_master_status",
      ],
    },
    {
      name: "kube-controller-manager",
      url: `https://127.0.0.1:${ports.controllerManager}`,
      guarded: true,
      check: "leaderElection",
      metrics: [
        "workqueue_depth",
        "workqueue_adds_total",
        "workqueue_retries_total",
        "rest_client_requests_total",
        "leader_election_master_status",
      ],
    },
    {
      name: "kubelet's health port",
      url: `http://127.0.0.1:${ports.kubeletHealth}`,
      guarded: false,
      check: "syncloop",
      metrics: [],
    },
    {
      name: "kube-proxy",
      url: `http://127.0.0.1:${ports.proxyMetrics}`,
      guarded: false,
      check: "sync",
      metrics: ["kubeproxy_sync_proxy_rules_duration_seconds", "kubeproxy_sync_proxy_rules_last_timestamp_seconds"],
    },
    {
      name: "cluster-dns",
      url: `http://127.0.0.1:${ports.dnsHealth}`,
      guarded: false,
      check: "informers",
      metrics: ["coredns_dns_responses_total", "coredns_dns_request_duration_seconds"],
    },
  ];
}

/** Throws unless every line is a comment or a sample of the Prometheus text format; resolves to the names with a TYPE. */
function parseMetrics(text: string): Set<string> {
  const names = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type) names.add(type[1]!);
    else if (line !== "" && !/^# HELP /.test(line) && !/^[a-z_:][\w:]*(\{.*\})? \S+( \d+)?$/i.test(line))
      throw new Error(`not a sample: ${line}`);
  }
  return names;
}

test("I1 every component tells its health to all, and its metrics to those who may see them", async (t) => {
  const cluster = await useCluster(t);
  const admin = adminOf(cluster);
  for (const { name, url, guarded, check, metrics } of listeners(cluster)) {
    await t.test(name, async (t) => {
      for (const endpoint of ["healthz", "livez", "readyz"]) {
        t.match(await ask(`${url}/${endpoint}`), { code: 200, type: /^text\/plain/, text: /^ok$/ }, endpoint);
        const verbose = await ask(`${url}/${endpoint}?verbose`);
        t.match(verbose.text, /^\[\+\]ping ok\n/);
        t.match(verbose.text, new RegExp(`\n${endpoint} check passed\n$`));
        // One check by itself is no open path of upstream's apiserver.
        t.match(await ask(`${url}/${endpoint}/ping`, admin), { code: 200, text: /^(ok|\[\+\]ping ok)/ });
        t.equal((await ask(`${url}/${endpoint}/no-such-check`, admin)).code, 404);
      }
      t.match((await ask(`${url}/readyz?verbose`)).text, new RegExp(`^\\[\\+\\]${check} ok$`, "m"));
      if (guarded) {
        t.match((await ask(`${url}/metrics`)).code, 403, "nobody may not");
        t.match((await ask(`${url}/no-such-path`)).code, 403, "not even learn which paths there are");
        t.equal((await ask(`${url}/metrics`, { token: "forged" })).code, 401);
        t.equal((await ask(`${url}/no-such-path`, admin)).code, 404);
      }
      const answer = await ask(`${url}/metrics`, admin);
      if (metrics.length === 0) {
        t.equal(answer.code, 404, "health alone");
        return;
      }
      t.match(answer, { code: 200, type: /^text\/plain; version=0\.0\.4/ });
      const names = parseMetrics(answer.text);
      for (const metric of [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "kubernetes_build_info",
        ...metrics,
      ])
        t.ok(names.has(metric), metric);
      t.match(answer.text, /^kubernetes_build_info\{.*git_version="v1\.33\..*\} 1$/m);
    });
  }
});

test("F1 I1 kube-proxy's health port speaks to load balancers, in upstream's JSON", async (t) => {
  const cluster = await useCluster(t);
  const url = `http://${cluster.nodeIp}:${cluster.ports.proxyHealth}`;
  const goTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000 UTC$/;
  const healthz = await ask(`${url}/healthz`);
  t.match(healthz, { code: 200, type: /^application\/json/ });
  t.match(JSON.parse(healthz.text), { lastUpdated: goTime, currentTime: goTime, nodeEligible: true });
  t.match(JSON.parse((await ask(`${url}/livez`)).text), { lastUpdated: goTime, currentTime: goTime });
  t.match(await ask(`${url}/readyz`), { code: 200, text: /^ok$/ });
  const metrics = `http://127.0.0.1:${cluster.ports.proxyMetrics}`;
  t.match(await ask(`${metrics}/proxyMode`), { code: 200, text: /^iptables$/ });
  const configz = JSON.parse((await ask(`${metrics}/configz`)).text)["kubeproxy.config.k8s.io"];
  t.match(configz, { kind: "KubeProxyConfiguration", mode: "iptables", iptables: { masqueradeBit: 14 } });
});

test("I1 H1 the guarded listeners: TLS of today, certificates of ours, rights by RBAC", async (t) => {
  const cluster = await useCluster(t);
  const ca = readFileSync(`${cluster.dataDir}/pki/ca.crt`);
  const urls = {
    "kube-apiserver": `https://127.0.0.1:${cluster.ports.securePort}/readyz`,
    "kube-scheduler": `https://127.0.0.1:${cluster.ports.scheduler}/readyz`,
    "kube-controller-manager": `https://127.0.0.1:${cluster.ports.controllerManager}/readyz`,
    kubelet: `https://127.0.0.1:${cluster.ports.kubelet}/healthz`,
  };
  for (const [name, url] of Object.entries(urls)) {
    for (const maxVersion of ["TLSv1", "TLSv1.1"] as const)
      await t.rejects(ask(url, { maxVersion }), { message: /protocol version|unsupported protocol/ }, name);
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
      t.ok((await ask(url, { maxVersion, ca })).code < 500, `${name} ${maxVersion}: its certificate is the CA's`);
  }

  const root = kubectlFor(cluster);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  // As a Prometheus is installed: paths for the control plane, nodes/metrics for kubelets.
  t.teardown(() => root.attempt(["delete", "clusterrole,clusterrolebinding", namespace]));
  await root.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${namespace} }
rules:
- { nonResourceURLs: [/metrics], verbs: [get] }
- { apiGroups: [""], resources: [nodes/metrics], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${namespace} }
subjects: [{ kind: ServiceAccount, name: prometheus, namespace: ${namespace} }]
`);
  const tokenOf = async (account: string) => {
    await kubectl.run(["create", "serviceaccount", account]);
    return (await kubectl.run(["create", "token", account])).trim();
  };
  const [prometheus, nosy] = [await tokenOf("prometheus"), await tokenOf("nosy")];
  for (const [name, url] of Object.entries(urls)) {
    const metrics = url.replace(/[a-z]+$/, "metrics");
    t.match(
      await ask(metrics, { token: nosy }),
      { code: 403, text: new RegExp(`system:serviceaccount:${namespace}:nosy`) },
      `${name} refuses who has no right`,
    );
    t.equal((await ask(metrics, { token: prometheus })).code, 200, `${name} answers who has it`);
  }
});

test("I1 H1 the kubelet's API shows pods, settings and figures to those who may see them", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  const url = `https://${cluster.nodeIp}:${cluster.ports.kubelet}`;
  const admin = adminOf(cluster);
  await kubectl.run(["run", "web", "--image=nginx"]);
  await kubectl.run(["wait", "pod/web", "--for=condition=Ready", "--timeout=60s"]);
  const json = async (path: string) => JSON.parse((await ask(`${url}${path}`, admin)).text);

  const list = await json("/pods");
  t.match(list, { kind: "PodList", apiVersion: "v1" });
  const mine = list.items.find((pod: { metadata: { namespace: string } }) => pod.metadata.namespace === namespace);
  t.match(mine, { metadata: { name: "web" }, status: { phase: "Running", podIP: /^\d+\./ } });
  t.match(await json("/configz"), {
    kubeletconfig: { kind: "KubeletConfiguration", port: cluster.ports.kubelet, maxPods: 110 },
  });
  const figures = await eventually("the summary has figures of the pod", async () => {
    const { node, pods } = await json("/stats/summary");
    t.equal(node.nodeName, cluster.nodeName);
    const pod = pods.find(({ podRef }: { podRef: { namespace: string } }) => podRef.namespace === namespace);
    return (pod?.containers.length === 1 && { node, pod }) as false | { node: never; pod: never };
  });
  t.match(figures, {
    node: {
      cpu: { usageCoreNanoSeconds: Number },
      memory: { workingSetBytes: Number },
      fs: { availableBytes: Number },
    },
    pod: { podRef: { name: "web" }, containers: [{ name: "web", memory: { workingSetBytes: Number } }] },
  });
  const resource = await ask(`${url}/metrics/resource`, admin);
  t.ok(parseMetrics(resource.text).has("node_cpu_usage_seconds_total"));
  t.match(resource.text, new RegExp(`container_memory_working_set_bytes\\{container="web",namespace="${namespace}"`));
  const own = (await ask(`${url}/metrics`, admin)).text;
  t.ok(parseMetrics(own).has("kubernetes_build_info"));
  t.match(own, `kubelet_node_name{node="${cluster.nodeName}"} 1\n`);
  t.match(own, /^kubelet_running_pods [1-9]/m);
  t.match(own, /^kubelet_running_containers\{container_state="running"\} [1-9]/m);
  t.match(
    (await ask(`${url}/healthz?verbose`, admin)).text,
    /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]syncloop ok\nhealthz check passed\n$/,
  );
  t.equal((await ask(`${url}/healthz/syncloop`, admin)).code, 200);
  t.match(
    await kubectl.run(["get", "--raw", `/api/v1/nodes/${cluster.nodeName}/proxy/healthz`]),
    /^ok$/,
    "and through the apiserver",
  );

  const token = (await kubectl.run(["create", "token", "default"])).trim();
  for (const path of ["/pods", "/configz", "/stats/summary", "/metrics", "/healthz", "/run/default/web/web", "/none"]) {
    t.match(await ask(`${url}${path}`), { code: 401, text: "Unauthorized" }, `${path} for nobody`);
    t.match(
      await ask(`${url}${path}`, { token }),
      { code: 403, text: new RegExp(`^Forbidden \\(user=system:serviceaccount:${namespace}:default, verb=get, `) },
      `${path} without the right`,
    );
    t.equal((await ask(`${url}${path}`, { token: `${token}x` })).code, 401, `${path} with a forged token`);
  }
});
