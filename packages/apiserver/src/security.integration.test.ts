// Identity and permission end to end: a real apiserver process under real kubectl.

import { spawnSync } from "node:child_process";
import { pods } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

test("who may do what, with kubectl", async (t) => {
  const server = await startApiServer(t);
  const run = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync("kubectl", args, {
      encoding: "utf8",
      env: { ...process.env, KUBECONFIG: "/dev/null" },
    });
    return { code: status, text: `${stdout}${stderr}`.trim() };
  };
  const kubectl = (...args: string[]) => run("--kubeconfig", server.kubeconfig, ...args);
  const withToken = (token: string, ...args: string[]) =>
    run("--server", server.url, "--insecure-skip-tls-verify", "--token", token, ...args);

  await t.test("H1 identities", async (t) => {
    t.match(kubectl("auth", "whoami").text, /kubernetes-admin/);
    t.equal(kubectl("create", "ns", "dev").code, 0);
    t.equal(kubectl("create", "sa", "app", "-n", "dev").code, 0);
    const token = kubectl("create", "token", "app", "-n", "dev").text;
    t.match(withToken(token, "auth", "whoami").text, /system:serviceaccount:dev:app/);
    t.match(withToken(`${token}x`, "get", "pods").text, /You must be logged in to the server/);
    t.match(
      kubectl("create", "token", "app", "-n", "dev", "--duration=5m").text,
      /may not specify a duration less than 10 minutes/,
    );
    t.match(
      run("--server", server.url, "--insecure-skip-tls-verify", "--token", "nonsense", "get", "pods").text,
      /Unauthorized|logged in/,
    );
    kubectl("delete", "sa", "app", "-n", "dev");
    t.match(withToken(token, "auth", "whoami").text, /logged in/, "the account is gone, and its tokens with it");
  });

  await t.test("H2 RBAC", async (t) => {
    t.equal(kubectl("auth", "can-i", "list", "pods", "-n", "dev", "--as", "vera").text, "no");
    // What view and admin are gathered from: gathering is the controller manager's, and there is none here.
    const [view, admin] = ["view", "admin"].map((name) => `--clusterrole=system:aggregate-to-${name}`) as [
      string,
      string,
    ];
    t.equal(kubectl("create", "rolebinding", "v", view, "--user=vera", "-n", "dev").code, 0);
    t.equal(kubectl("auth", "can-i", "list", "pods", "-n", "dev", "--as", "vera").text, "yes");
    t.equal(kubectl("auth", "can-i", "list", "secrets", "-n", "dev", "--as", "vera").text, "no");
    t.match(
      kubectl("get", "pods", "--as", "vera").text,
      'Error from server (Forbidden): pods is forbidden: User "vera" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    kubectl("create", "rolebinding", "a", admin, "--user=ada", "-n", "dev");
    t.match(
      kubectl("create", "rolebinding", "up", "--clusterrole=cluster-admin", "--user=ada", "-n", "dev", "--as", "ada")
        .text,
      /is attempting to grant RBAC permissions not currently held/,
    );
    const scheduler = server.as("kube-scheduler").kubeconfig;
    t.equal(run("--kubeconfig", scheduler, "get", "nodes").code, 0);
    t.match(run("--kubeconfig", scheduler, "get", "secrets", "-A").text, /Forbidden/);
  });

  await t.test("a pod is admitted, bound once, and evicted", async (t) => {
    kubectl("create", "sa", "default", "-n", "dev");
    t.equal(kubectl("run", "web", "--image=nginx", "-n", "dev").code, 0);
    const volumes = kubectl(
      "get",
      "pod",
      "web",
      "-n",
      "dev",
      "-o",
      "jsonpath={.spec.volumes[*].name} {.spec.serviceAccountName}",
    ).text;
    t.match(volumes, /^kube-api-access-[a-z0-9]{5} default$/);
    const bind = (node: string) =>
      server.client.createSubresource(pods as Resource, { namespace: "dev", name: "web" }, "binding", {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: "web" },
        target: { kind: "Node", name: node },
      });
    t.match(kubectl("exec", "web", "-n", "dev", "--", "ls").text, /pod web does not have a host assigned/);
    await bind("n1");
    await t.rejects(bind("n2"), { code: 409, message: /pod web is already assigned to node "n1"/ });
    t.match(kubectl("logs", "web", "-n", "dev").text, /nodes "n1" not found/);
    t.match(kubectl("logs", "web", "-n", "dev", "-c", "other").text, /container other is not valid for pod web/);
    await server.client.createSubresource(pods as Resource, { namespace: "dev", name: "web" }, "eviction", {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: "web" },
    });
    const evicted = await server.client.get(pods, { namespace: "dev", name: "web" });
    t.equal(evicted.metadata.deletionGracePeriodSeconds, 30);
    t.ok(evicted.status?.conditions?.some(({ type }) => type === "DisruptionTarget"));
  });

  await t.test("namespaces that are absent, or must stay", async (t) => {
    t.match(kubectl("run", "x", "--image=x", "-n", "none").text, /namespaces "none" not found/);
    t.match(kubectl("delete", "ns", "kube-system").text, /this namespace may not be deleted/);
  });
});
