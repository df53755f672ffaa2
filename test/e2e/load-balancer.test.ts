import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

const run = promisify(execFile);
const curl = async (...args: string[]) => (await run("curl", ["-sS", "--max-time", "5", ...args])).stdout;

/** A port of the node that nobody listens on: a load balancer takes it away from whoever does. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "0.0.0.0", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

test("F1 expose --type=LoadBalancer: an external address that answers, a port that is taken, and its release", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  const port = await freePort();
  await kubectl.run(["create", "deployment", "web", "--image=nginx"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  await kubectl.run(["expose", "deployment", "web", `--port=${port}`, "--target-port=80", "--type=LoadBalancer"]);
  const row = async (name: string) => (await kubectl.run(["get", "service", name, "--no-headers"])).trim().split(/ +/);
  await eventually("EXTERNAL-IP is the node's address", async () => (await row("web"))[3] === cluster.nodeIp);
  const url = `http://${cluster.nodeIp}:${port}`;
  await eventually("it answers there", async () => /Welcome to nginx!/.test(await curl(url)));
  t.match(await kubectl.run(["describe", "service", "web"]), /EnsuredLoadBalancer .*Ensured load balancer/);
  t.match(
    await kubectl.run(["describe", "service", "web"]),
    new RegExp(`LoadBalancer Ingress: +${cluster.nodeIp} \\(VIP\\)`),
  );

  // The same port of the same address cannot be had twice: the second says so, and follows the first.
  await kubectl.run([
    "expose",
    "deployment",
    "web",
    "--name=second",
    `--port=${port}`,
    "--target-port=80",
    "--type=LoadBalancer",
  ]);
  const words = `port ${port}/TCP of ${cluster.nodeIp} is taken by Service ${namespace}/web`;
  await eventually("the second says why it waits", async () =>
    (await kubectl.run(["describe", "service", "second"])).includes(words),
  );
  t.equal((await row("second"))[3], "<pending>");
  await kubectl.run(["delete", "service", "web"]);
  await eventually("the second has the address", async () => (await row("second"))[3] === cluster.nodeIp);
  await eventually("the second answers", async () => /Welcome to nginx!/.test(await curl(url)));

  await kubectl.run(["patch", "service", "second", "-p", '{"spec":{"type":"ClusterIP"}}']);
  await eventually("the address is given back", async () => (await row("second"))[3] === "<none>");
  await eventually("nothing answers there", async () => {
    const failure = await curl(url).then(
      () => undefined,
      (error: { code: number }) => error.code,
    );
    return failure === 7;
  });
});
