// Attacks on what somebody may do, against a real process: each gets upstream's status and words and stands in the audit
// log under the attacker's name.

import { configmaps, namespaces, nodes, pods, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { clusterrolebindings, clusterroles, rolebindings, roles } from "@picokube/api/rbac/v1";
import type { Resource } from "@picokube/api/resource";
import { issueCertificate } from "@picokube/pki/certificate";
import { type Test, test } from "tap";
import { type Attack, type Outcome, startAuditedServer } from "../testing/audited-server.js";

const RBAC = "rbac.authorization.k8s.io";
const RBAC_ROOT = `/apis/${RBAC}/v1`;
const NODES = "/api/v1/nodes";
const inDev = (path: string) => `/api/v1/namespaces/dev/${path}`;

test("H2 who may do little cannot do more, and is recorded trying", async (t) => {
  const { server, file, attack } = await startAuditedServer(t, ["--enable-admission-plugins=NodeRestriction"]);
  const { client } = server;
  const ca = { cert: file("ca.crt"), key: file("ca.key") };
  const certificateOf = (commonName: string, organizations: string[] = []) =>
    issueCertificate({ ca, subject: { commonName, organizations, usages: ["client"] }, nowMs: Date.now() });
  const mallory = await certificateOf("mallory", ["dev"]);
  const node = await certificateOf("system:node:node-1", ["system:nodes"]);

  const create = (resource: unknown, object: object) => client.create(resource as Resource, object as never);
  const container = { name: "c", image: "i" };
  for (const name of ["dev", "other"]) await create(namespaces, { metadata: { name } });
  for (const namespace of ["dev", "other"]) {
    await create(serviceaccounts, { metadata: { name: "default", namespace } });
    for (const name of ["mine", "top"])
      await create(secrets, { metadata: { name, namespace }, stringData: { word: name } });
  }
  await create(configmaps, { metadata: { name: "plain", namespace: "dev" } });
  for (const name of ["node-1", "node-2"]) await create(nodes, { metadata: { name } });
  const podOn = (name: string, nodeName: string, secretName: string) => ({
    metadata: { name, namespace: "dev" },
    spec: { nodeName, containers: [container], volumes: [{ name: "s", secret: { secretName } }] },
  });
  await create(pods, podOn("here", "node-1", "mine"));
  await create(pods, podOn("there", "node-2", "top"));
  const rule = (verbs: string[], resources: string[], more: object = {}) => ({
    apiGroups: [""],
    verbs,
    resources,
    ...more,
  });
  await create(roles, {
    metadata: { name: "little", namespace: "dev" },
    rules: [
      rule(["get"], ["secrets"], { resourceNames: ["mine"] }),
      { ...rule(["create", "update", "patch"], ["roles", "rolebindings"]), apiGroups: [RBAC] },
    ],
  });
  await create(clusterroles, { metadata: { name: "all-secrets" }, rules: [rule(["get", "list"], ["secrets"])] });
  await create(rolebindings, {
    metadata: { name: "little", namespace: "dev" },
    roleRef: { apiGroup: RBAC, kind: "Role", name: "little" },
    subjects: [{ apiGroup: RBAC, kind: "User", name: "mallory" }],
  });
  await create(clusterroles, {
    metadata: { name: "role-writer" },
    rules: [{ ...rule(["create"], ["clusterroles", "clusterrolebindings"]), apiGroups: [RBAC] }],
  });
  await create(clusterrolebindings, {
    metadata: { name: "role-writer" },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "role-writer" },
    subjects: [{ apiGroup: RBAC, kind: "Group", name: "dev" }],
  });

  async function refused(t: Test, username: string, attempt: Attack, words: string | RegExp): Promise<Outcome> {
    const what = `${attempt.method ?? "GET"} ${attempt.path}`;
    const outcome = await attack(attempt);
    t.match(outcome, { code: 403, json: { kind: "Status", reason: "Forbidden", message: words } }, what);
    t.match(outcome.audited, { user: { username }, responseStatus: { code: 403 } }, `${what}, recorded`);
    return outcome;
  }

  await t.test("a kubelet that reads what is not its own", async (t) => {
    const asNode = (attempt: Attack, words: string | RegExp) =>
      refused(t, "system:node:node-1", { certificate: node, ...attempt }, words);
    const noRelation = "no relationship found between node 'node-1' and this object";
    t.equal((await attack({ certificate: node, path: inDev("secrets/mine") })).code, 200);
    await asNode(
      { path: inDev("secrets/top") },
      `secrets "top" is forbidden: User "system:node:node-1" cannot get resource "secrets" in API group "" in the namespace "dev": ${noRelation}`,
    );
    const far = await asNode({ path: "/api/v1/namespaces/other/secrets/mine" }, /no relationship found/);
    t.match(far.audited.annotations, {
      "authorization.k8s.io/decision": "forbid",
      "authorization.k8s.io/reason": noRelation,
    });
    await asNode({ path: inDev("secrets") }, /No Object name found/);
    await asNode({ path: inDev("secrets?fieldSelector=metadata.name%3Dtop") }, /no relationship found/);
    await asNode({ path: "/api/v1/secrets" }, /can only read namespaced object of this type/);
    await asNode({ path: inDev("pods/there") }, /no relationship found/);
    await asNode({ path: inDev("pods") }, /can only list\/watch pods with spec\.nodeName field selector/);
    await asNode({ path: "/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dnode-2" }, /can only list\/watch pods/);
    await asNode({ path: `${NODES}/node-2` }, /node 'node-1' cannot read 'node-2', only its own Node object/);
    await asNode({ path: NODES }, /node 'node-1' cannot read all nodes, only its own Node object/);
    await asNode({ path: "/api/v1/watch/namespaces/dev/secrets" }, /No Object name found/);
    await asNode({ path: "/api/v1/watch/pods?fieldSelector=spec.nodeName%3Dnode-1" }, /can only list\/watch pods/);
    // What was judged is what is served: the first of several selectors, and the one name of an old watch path.
    const twice = "fieldSelector=metadata.name%3Dmine&fieldSelector=metadata.name%3Dtop&fieldSelector=";
    const listed = await attack({ certificate: node, path: inDev(`secrets?${twice}`) });
    t.same(
      listed.json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
      ["mine"],
    );
    for (const path of [
      "/api/v1/watch/namespaces/dev/secrets/mine?timeoutSeconds=1",
      inDev(`secrets?watch=1&timeoutSeconds=1&${twice}`),
      inDev("secrets/mine?watch=1&timeoutSeconds=1"),
    ]) {
      const watched = await attack({ certificate: node, path });
      t.ok([200, 404].includes(watched.code), `${path}: ${watched.code}`);
      t.notMatch(JSON.stringify(watched.json), /"top"/, `${path} tells of no other secret`);
    }
    const own = await attack({ certificate: node, path: "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1" });
    t.same(
      own.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
      ["here"],
    );
    t.equal((await attack({ certificate: node, path: `${NODES}?fieldSelector=metadata.name%3Dnode-1` })).code, 200);
  });

  await t.test("a kubelet that writes what is not its own", async (t) => {
    const merge = { "content-type": "application/merge-patch+json" };
    const label = (key: string) => ({ metadata: { labels: { [key]: "x" } } });
    const patch = (path: string, body: object): Attack => ({
      certificate: node,
      method: "PATCH",
      path,
      headers: merge,
      body,
    });
    const asNode = (attempt: Attack, words: string | RegExp) => refused(t, "system:node:node-1", attempt, words);
    await asNode(
      patch(`${NODES}/node-1`, label("node-restriction.kubernetes.io/trusted")),
      'nodes "node-1" is forbidden: node "node-1" is not allowed to modify labels: node-restriction.kubernetes.io/trusted',
    );
    const taints = [{ key: "a", effect: "NoSchedule" }];
    await asNode(patch(`${NODES}/node-1`, { spec: { taints } }), /node "node-1" is not allowed to modify taints/);
    await asNode(
      patch(`${NODES}/node-2`, label("a")),
      'nodes "node-2" is forbidden: node "node-1" is not allowed to modify node "node-2"',
    );
    await asNode(
      patch(inDev("pods/there/status"), { status: { phase: "Failed" } }),
      /can only update pod status for pods with spec\.nodeName set to itself/,
    );
    await asNode(
      { certificate: node, method: "DELETE", path: inDev("pods/there") },
      /can only delete pods with spec\.nodeName set to itself/,
    );
    await asNode(
      {
        certificate: node,
        method: "POST",
        path: inDev("pods"),
        body: { metadata: { name: "new" }, spec: { containers: [container] } },
      },
      /node "node-1" can only create mirror pods/,
    );
    await asNode(
      {
        certificate: node,
        method: "POST",
        path: inDev("serviceaccounts/default/token"),
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
      },
      /node requested token not bound to a pod/,
    );
    await asNode(
      {
        certificate: node,
        method: "POST",
        path: "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
        body: { metadata: { name: "node-2" } },
      },
      /can only access node lease with the same name as the requesting node/,
    );
    t.equal(
      (await attack(patch(`${NODES}/node-1`, label("example.com/a")))).code,
      200,
      "its own Node, with its own label",
    );
  });

  const asMallory = (t: Test, attempt: Attack, words: string | RegExp) =>
    refused(t, "mallory", { certificate: mallory, ...attempt }, words);

  await t.test("impersonation without the right", async (t) => {
    const path = inDev("secrets/mine");
    const cannot = (what: string) => new RegExp(`User "mallory" cannot impersonate resource "${what}" in API group`);
    const table: [headers: Record<string, string>, what: string][] = [
      [{ "Impersonate-User": "kubernetes-admin" }, "users"],
      [{ "Impersonate-User": "mallory", "Impersonate-Group": "system:masters" }, "users"],
      [{ "Impersonate-User": "system:serviceaccount:kube-system:root" }, "serviceaccounts"],
      [{ "Impersonate-User": "system:node:node-1", "Impersonate-Group": "system:nodes" }, "users"],
    ];
    for (const [headers, what] of table) await asMallory(t, { path, headers }, cannot(what));
    const orphan = await attack({ certificate: mallory, path, headers: { "Impersonate-Group": "system:masters" } });
    t.match(orphan, { code: 400, audited: { user: { username: "mallory" }, responseStatus: { code: 400 } } });
    await create(clusterroles, {
      metadata: { name: "may-be-bob" },
      rules: [{ ...rule(["impersonate"], ["users"]), resourceNames: ["bob"] }],
    });
    await create(clusterrolebindings, {
      metadata: { name: "may-be-bob" },
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "may-be-bob" },
      subjects: [{ apiGroup: RBAC, kind: "User", name: "mallory" }],
    });
    const bob = { "Impersonate-User": "bob" };
    const asBob = await attack({ certificate: mallory, path, headers: bob });
    t.match(asBob, { code: 403, json: { message: /User "bob" cannot get/ } });
    t.match(asBob.audited, { user: { username: "mallory" }, impersonatedUser: { username: "bob" } });
    await asMallory(t, { path, headers: { ...bob, "Impersonate-Group": "system:masters" } }, cannot("groups"));
    await asMallory(t, { path, headers: { ...bob, "Impersonate-Uid": "1" } }, cannot("uids"));
    await asMallory(t, { path, headers: { ...bob, "Impersonate-Extra-scopes": "all" } }, cannot("userextras/scopes"));
  });

  await t.test("RBAC escalation", async (t) => {
    const notHeld = /is attempting to grant RBAC permissions not currently held:\n/;
    const role = (kind: string, rules: object[]) => ({ metadata: { name: `more-${kind}` }, rules });
    const post = (path: string, body: object): Attack => ({ method: "POST", path, body });
    const everything = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
    const dev = `${RBAC_ROOT}/namespaces/dev`;
    await asMallory(t, post(`${dev}/roles`, role("a", everything)), notHeld);
    await asMallory(t, post(`${dev}/roles`, role("a", [rule(["get"], ["secrets"])])), notHeld);
    await asMallory(t, post(`${RBAC_ROOT}/clusterroles`, role("a", everything)), notHeld);
    const aggregated = { ...role("b", []), aggregationRule: { clusterRoleSelectors: [{}] } };
    await asMallory(t, post(`${RBAC_ROOT}/clusterroles`, aggregated), notHeld);
    const toMe = (name: string) => ({
      metadata: { name: "up" },
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name },
      subjects: [{ apiGroup: RBAC, kind: "User", name: "mallory" }],
    });
    await asMallory(t, post(`${dev}/rolebindings`, toMe("cluster-admin")), notHeld);
    await asMallory(t, post(`${dev}/rolebindings`, toMe("all-secrets")), notHeld);
    await asMallory(t, post(`${RBAC_ROOT}/clusterrolebindings`, toMe("cluster-admin")), notHeld);
    await asMallory(
      t,
      post(`${RBAC_ROOT}/namespaces/other/rolebindings`, toMe("all-secrets")),
      /cannot create resource "rolebindings"/,
    );
    await asMallory(
      t,
      {
        method: "PATCH",
        path: `${dev}/roles/little`,
        headers: { "content-type": "application/merge-patch+json" },
        body: { rules: everything },
      },
      notHeld,
    );
    const held = role("held", [rule(["get"], ["secrets"], { resourceNames: ["mine"] })]);
    t.equal(
      (await attack({ certificate: mallory, ...post(`${dev}/roles`, held) })).code,
      201,
      "what is held may be granted",
    );
  });

  await t.test("paths that climb", async (t) => {
    t.equal((await attack({ certificate: mallory, path: inDev("secrets/mine") })).code, 200);
    const climbs = [
      inDev("secrets/mine/../top"),
      inDev("secrets/mine/..%2ftop"),
      inDev("secrets/mine%2f..%2ftop"),
      inDev("secrets/%6dine/%2e%2e/top"),
      inDev("secrets/mine%252f..%252ftop"),
      inDev("secrets/..%2f..%2fother%2fsecrets%2fmine"),
      inDev("secrets/mine%00top"),
      inDev("secrets/mine/status/../../top"),
      "/api/v1/namespaces/dev/../other/secrets/mine",
      "/api/v1/namespaces/dev%2f..%2fother/secrets/mine",
      "/api/v1/namespaces/..%2fother/secrets/mine",
      "/api/v1/namespaces/dev/secrets/mine/../../../other/secrets/mine",
      "/api/v1/namespaces//secrets/mine",
      "/version/../api/v1/namespaces/dev/secrets/top",
      "/healthz/%2e%2e/api/v1/namespaces/dev/secrets/top",
      "//api/v1/namespaces/dev/secrets/top",
      "/api//v1/namespaces/dev/secrets/top",
    ];
    for (const path of climbs) {
      const outcome = await attack({ certificate: mallory, path });
      t.equal(outcome.code, 403, path);
      t.match(outcome.audited, { user: { username: "mallory" }, responseStatus: { code: 403 } }, `${path}, recorded`);
      const ofAdmin = await attack({ certificate: "admin", path });
      t.equal(ofAdmin.code, path.includes("//api") || path.startsWith("/api//") ? 200 : 404, `${path}: leads nowhere`);
    }
    for (const name of [".", "..", "a/b", "a%b", "../../other/secrets/stolen"]) {
      const post = { method: "POST", certificate: "admin", path: inDev("secrets") } as const;
      const outcome = await attack({ ...post, body: { metadata: { name } } });
      t.match(outcome, { code: 422, audited: { responseStatus: { code: 422 } } }, name);
    }
  });
  t.notMatch(server.log(), /a request failed/);
});
