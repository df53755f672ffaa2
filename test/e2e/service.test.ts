import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

const run = promisify(execFile);
const curl = async (...args: string[]) => (await run("curl", ["-sS", "--max-time", "5", ...args])).stdout;

/** Two pods that each answer with their own name, behind a Service. */
const echo = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: echo }
spec:
  replicas: 2
  selector: { matchLabels: { app: echo } }
  template:
    metadata: { labels: { app: echo } }
    spec:
      containers:
      - name: echo
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "mkdir /www && hostname > /www/index.html && exec httpd -f -p 8080 -h /www"]
        ports: [{ name: http, containerPort: 8080 }]
        readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: echo }
spec: { selector: { app: echo }, ports: [{ port: 80, targetPort: http }] }
`;

test("F1 F2 F3 nginx answers behind a Service: cluster IP, node port, DNS name", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=3"]);
  t.equal(await kubectl.run(["expose", "deployment", "web", "--port=80", "--type=NodePort"]), "service/web exposed\n");
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  const service = await kubectl.json(["get", "service", "web"]);
  const { clusterIP, ports } = service.spec;
  t.ok(ports[0].nodePort >= 30_000 && ports[0].nodePort <= 32_767);
  t.match(await kubectl.run(["get", "ipaddress", clusterIP]), new RegExp(`${clusterIP} +services/${namespace}/web\\n`));
  t.match(await kubectl.run(["get", "servicecidr"]), new RegExp(`kubernetes +${cluster.serviceCidr} `));

  const welcome = /Welcome to nginx!/;
  await eventually("the cluster IP answers on the host", async () => welcome.test(await curl(`http://${clusterIP}`)));
  t.match(await curl(`http://${cluster.nodeIp}:${ports[0].nodePort}`), welcome, "the node port");
  t.match(await curl(`http://127.0.0.1:${ports[0].nodePort}`), welcome, "the node port on localhost");

  await kubectl.run(["run", "shell", "--image=busybox", "--image-pull-policy=IfNotPresent", "--", "sleep", "3600"]);
  await kubectl.run(["wait", "pod/shell", "--for=condition=Ready", "--timeout=60s"]);
  const inPod = (...command: string[]) => kubectl.run(["exec", "shell", "--", ...command]);
  t.match(await inPod("wget", "-q", "-O-", `http://${clusterIP}`), welcome, "the cluster IP from a pod");
  for (const host of ["web", `web.${namespace}`, `web.${namespace}.svc`, `web.${namespace}.svc.cluster.local`])
    t.match(await inPod("wget", "-q", "-O-", `http://${host}`), welcome, host);
  t.match(
    await inPod("nslookup", "kubernetes.default.svc.cluster.local"),
    new RegExp(cluster.serviceCidr.replace(/0\.0\/\d+$/, "0.1")),
  );

  t.match(
    await kubectl.run(["get", "endpointslices", "-l", "kubernetes.io/service-name=web"]),
    /IPv4 +80 +\S+,\S+,\S+ /,
  );
  t.equal((await kubectl.json(["get", "endpoints", "web"])).subsets[0].addresses.length, 3);
  t.match(await kubectl.run(["describe", "service", "web"]), /Endpoints: +\d+\.\d+\.\d+\.\d+:80,/);
});

test("F2 load is spread, a pod reaches itself, and pods that are not ready get none", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(echo);
  await kubectl.run(["rollout", "status", "deployment/echo", "--timeout=90s"]);
  const { clusterIP } = (await kubectl.json(["get", "service", "echo"])).spec;
  await eventually("it answers", async () => (await curl(`http://${clusterIP}`)).startsWith("echo-"));
  const counts = new Map<string, number>();
  for (let i = 0; i < 60; i++) {
    const who = (await curl(`http://${clusterIP}`)).trim();
    counts.set(who, (counts.get(who) ?? 0) + 1);
  }
  t.equal(counts.size, 2, "both pods answered");
  t.ok(Math.min(...counts.values()) >= 10, `spread: ${[...counts.values()].join(" and ")} of 60`);

  // Through its own Service a pod meets itself (hairpin) in half of the tries.
  const [pod] = [...counts.keys()];
  const seen = new Set<string>();
  await eventually("the pod has reached itself", async () => {
    seen.add((await kubectl.run(["exec", pod!, "--", "wget", "-q", "-O-", "http://echo"])).trim());
    return seen.has(pod!);
  });

  await kubectl.run(["exec", pod!, "--", "rm", "/www/index.html"]);
  await eventually("the failing pod has left the Service", async () => {
    const { subsets } = await kubectl.json(["get", "endpoints", "echo"]);
    return subsets[0].addresses.length === 1 && subsets[0].notReadyAddresses.length === 1;
  });
  await eventually("only the ready pod answers", async () => {
    for (let i = 0; i < 10; i++) if ((await curl(`http://${clusterIP}`)).trim() === pod) return false;
    return true;
  });
});

test("F1 session affinity: one client meets one pod", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(echo);
  await kubectl.run(["patch", "service", "echo", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}']);
  await kubectl.run(["rollout", "status", "deployment/echo", "--timeout=90s"]);
  const { clusterIP, sessionAffinityConfig } = (await kubectl.json(["get", "service", "echo"])).spec;
  t.equal(sessionAffinityConfig.clientIP.timeoutSeconds, 10_800);
  await eventually("it answers", async () => (await curl(`http://${clusterIP}`)).startsWith("echo-"));
  await eventually("all rules are written", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) seen.add(await curl(`http://${clusterIP}`));
    return seen.size === 1;
  });
});

test("F1 a Service without endpoints refuses at once; a deleted one leaves no rules", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.run(["create", "service", "clusterip", "none", "--tcp=80:80"]);
  const { clusterIP } = (await kubectl.json(["get", "service", "none"])).spec;
  await eventually("refused, not timed out", async () =>
    curl(`http://${clusterIP}`).then(
      () => false,
      (error: Error) => /refused|Couldn.t connect/i.test(error.message),
    ),
  );
  const rules = async () => (await run("iptables-save", [])).stdout;
  t.match(await rules(), `${namespace}/none`);
  await kubectl.run(["delete", "service", "none"]);
  await eventually("its rules are gone", async () => !(await rules()).includes(`${namespace}/none`));
});

test("F1 Endpoints kept by hand lead a Service without a selector to where they say", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  const server = createServer((_request, response) => response.end("by hand")).listen(0, cluster.nodeIp);
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // The Endpoints first: they must wait for their Service.
  await kubectl.apply(`
apiVersion: v1
kind: Endpoints
metadata: { name: legacy }
subsets: [{ addresses: [{ ip: ${cluster.nodeIp} }], ports: [{ port: ${port} }] }]
---
apiVersion: v1
kind: Service
metadata: { name: legacy }
spec: { ports: [{ port: 80, targetPort: ${port} }] }
`);
  const { clusterIP } = (await kubectl.json(["get", "service", "legacy"])).spec;
  const ask = () => curl(`http://${clusterIP}`);
  await eventually("the cluster IP leads to the host's server", async () => (await ask()) === "by hand");
  const manager = "endpointslice.kubernetes.io/managed-by=endpointslicemirroring-controller.k8s.io";
  t.match(await kubectl.run(["get", "endpointslices", "-l", manager, "-o", "name"]), /^\S+\/legacy-\S+\n$/);
  await kubectl.run(["delete", "endpoints", "legacy"]);
  await eventually("nobody answers any more", () =>
    ask().then(
      () => false,
      (error: Error) => /refused|Couldn.t connect/i.test(error.message),
    ),
  );
});
