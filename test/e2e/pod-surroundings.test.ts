// What a pod finds around itself: its addresses, names and resolver, the host's own where it asks for them, who it runs as;
// and pods that no API server gave, from the kubelet's manifest directory.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { parse } from "yaml";
import { useCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";
import { shellPod } from "./harness/shell-pod.js";

const ready = ["--for=condition=Ready", "--timeout=90s"];

test("C12 a pod's address, names and resolver", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.apply(
    shellPod(
      "named",
      "exec sleep 3600",
      `  hostname: front
  subdomain: web
  hostAliases: [{ ip: 192.0.2.7, hostnames: [far.example] }]`,
    ),
  );
  await kubectl.apply(
    shellPod(
      "own-dns",
      "exec sleep 3600",
      `  dnsPolicy: None
  dnsConfig: { nameservers: [192.0.2.53], searches: [example.test], options: [{ name: ndots, value: "2" }] }`,
    ),
  );
  await kubectl.run(["wait", "pod/named", "pod/own-dns", ...ready]);
  const inside = (pod: string, ...command: string[]) => kubectl.run(["exec", pod, "--", ...command]);

  const { status } = await kubectl.json(["get", "pod", "named"]);
  t.equal((await inside("named", "hostname", "-i")).trim(), status.podIP);
  t.strictSame(status.podIPs, [{ ip: status.podIP }]);
  const fullName = `front.web.${namespace}.svc.cluster.local`;
  t.equal((await inside("named", "hostname", "-f")).trim(), fullName);
  t.match(await inside("named", "cat", "/etc/hosts"), new RegExp(`^${status.podIP}\t${fullName}\tfront$`, "m"));
  t.match(await inside("named", "cat", "/etc/hosts"), /^192\.0\.2\.7\tfar\.example$/m);
  t.match(
    await inside("named", "cat", "/etc/resolv.conf"),
    new RegExp(`search ${namespace}\\.svc\\.cluster\\.local svc\\.cluster\\.local cluster\\.local`),
  );
  t.equal(
    await inside("own-dns", "cat", "/etc/resolv.conf"),
    "search example.test\nnameserver 192.0.2.53\noptions ndots:2\n",
  );
  t.match(await inside("named", "ls", "/var/run/secrets/kubernetes.io/serviceaccount"), "token");
  const other = (await kubectl.json(["get", "pod", "own-dns"])).status.podIP;
  t.match(await inside("named", "ping", "-c1", "-W5", other), " 0% packet loss");
});

test("C12 a pod in the host's namespaces", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(
    shellPod("host", "exec sleep 3600", "  hostNetwork: true\n  hostPID: true\n  hostIPC: true\n  dnsPolicy: Default"),
  );
  await kubectl.run(["wait", "pod/host", ...ready]);
  const { status } = await kubectl.json(["get", "pod", "host"]);
  t.equal(status.podIP, cluster.nodeIp);
  t.equal(status.hostIP, cluster.nodeIp);
  t.equal((await kubectl.run(["exec", "host", "--", "hostname"])).trim(), hostname());
  t.match(
    await kubectl.run(["exec", "host", "--", "cat", `/proc/${process.pid}/cmdline`]),
    "node",
    "the host's processes are seen",
  );
});

test("C12 whom a container runs as, and what it may do", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(
    shellPod(
      "bound",
      "touch /scratch/mine; exec sleep 3600",
      `    securityContext:
      readOnlyRootFilesystem: true
      allowPrivilegeEscalation: false
      capabilities: { drop: [ALL] }
    volumeMounts: [{ name: scratch, mountPath: /scratch }]
  securityContext:
    runAsUser: 1001
    runAsGroup: 1002
    fsGroup: 2000
    supplementalGroups: [3000]
    seccompProfile: { type: RuntimeDefault }
  volumes: [{ name: scratch, emptyDir: {} }]`,
    ),
  );
  await kubectl.apply(
    shellPod(
      "root",
      "exec sleep 3600",
      "    imagePullPolicy: IfNotPresent\n    securityContext: { runAsNonRoot: true }",
    ),
  );
  await kubectl.run(["wait", "pod/bound", ...ready]);
  const inside = (...command: string[]) => kubectl.run(["exec", "bound", "--", ...command]);
  t.match(await inside("id"), /uid=1001 gid=1002.* groups=1002,2000,3000/);
  const processStatus = await inside("cat", "/proc/1/status");
  t.match(processStatus, /^CapBnd:\t0+$/m);
  t.match(processStatus, /^NoNewPrivs:\t1$/m);
  t.match(processStatus, /^Seccomp:\t2$/m);
  t.match((await kubectl.attempt(["exec", "bound", "--", "touch", "/x"])).stderr, "Read-only file system");
  t.match(await inside("ls", "-ln", "/scratch/mine"), / 1001 +2000 /);
  await eventually("a root image is refused", async () => {
    const [{ state }] = (await kubectl.json(["get", "pod", "root"])).status.containerStatuses;
    return (
      state.waiting?.reason === "CreateContainerConfigError" &&
      /^container has runAsNonRoot and image will run as root/.test(state.waiting.message)
    );
  });
});

test("A9 a static pod from the manifest directory: its mirror, its change, its end", async (t) => {
  const cluster = await useCluster(t);
  const { staticPodPath } = parse(readFileSync(join(cluster.dataDir, "config", "kubelet.yaml"), "utf8"));
  const kubectl = kubectlFor(cluster, "default");
  const file = join(staticPodPath, "greeter.yaml");
  const mirror = `greeter-${cluster.nodeName}`;
  const uid = async () => (await kubectl.json(["get", "pod", mirror])).metadata.uid;
  t.teardown(() => rmSync(file, { force: true }));

  writeFileSync(file, shellPod("greeter", "echo first; exec sleep 3600"));
  await eventually("its mirror is Ready", async () => {
    await kubectl.run(["wait", `pod/${mirror}`, "--for=condition=Ready", "--timeout=5s"]);
    return true;
  });
  const { metadata } = await kubectl.json(["get", "pod", mirror]);
  t.match(metadata.annotations, {
    "kubernetes.io/config.source": "file",
    "kubernetes.io/config.mirror": /^[0-9a-f]+$/,
    "kubernetes.io/config.hash": /^[0-9a-f]+$/,
  });
  t.match(metadata.ownerReferences, [{ kind: "Node", name: cluster.nodeName, controller: true }]);
  t.equal(await kubectl.run(["logs", mirror]), "first\n");

  await kubectl.run(["delete", "pod", mirror, "--wait=false"]);
  await eventually("the mirror is made again, its container runs on", async () => (await uid()) !== metadata.uid);
  t.equal(await kubectl.run(["logs", mirror]), "first\n");

  writeFileSync(file, shellPod("greeter", "echo second; exec sleep 3600"));
  await eventually("the changed pod runs", async () => (await kubectl.run(["logs", mirror])) === "second\n");

  rmSync(file);
  await eventually("pod and mirror are gone", async () => {
    const { stderr } = await kubectl.attempt(["get", "pod", mirror]);
    return /NotFound/.test(stderr);
  });
});
