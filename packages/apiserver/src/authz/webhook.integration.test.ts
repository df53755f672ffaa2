// Other servers that judge tokens and requests: a real apiserver process before two real HTTPS servers.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startApiServer } from "@picokube/testing/apiserver";
import { type Test, test } from "tap";
import { Agent, request } from "undici";
import { type Review, startReviewServer } from "../testing/review-server.js";

/** Who the tokens belong to. */
const USERS: { [token: string]: object } = {
  "token-of-wendy": { username: "wendy", uid: "7", groups: ["hooks"], extra: { "example.com/from": ["far"] } },
  "token-of-reader": { username: "system:serviceaccount:kube-system:reader", groups: ["readers"] },
};

function judgeToken({ spec }: Review): object | number {
  if (spec.token === "token-of-nobody") return { authenticated: false, error: "never heard of it" };
  if (spec.token === "token-of-elsewhere") return { authenticated: true, user: { username: "x" }, audiences: ["moon"] };
  const user = USERS[spec.token as string];
  return user ? { authenticated: true, user } : { authenticated: false };
}

function judgeDeed({ spec }: Review): object | number {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (path) return { allowed: path.path === "/hidden" };
  if (resource.resource === "secrets") return { allowed: false, denied: true, reason: "secrets are not for you" };
  if (resource.resource === "nodes") return 503;
  if (resource.resource === "configmaps") return { allowed: true, reason: "the hook likes it" };
  return { allowed: false, reason: "the hook does not care" };
}

async function start(t: Test, flags: string[]) {
  const tokens = await startReviewServer(t, judgeToken);
  const deeds = await startReviewServer(t, judgeDeed);
  const server = await startApiServer(t, {
    flags: [
      "--authorization-mode=Node,Webhook,RBAC",
      `--authorization-webhook-config-file=${deeds.kubeconfig}`,
      `--authentication-token-webhook-config-file=${tokens.kubeconfig}`,
      ...flags,
    ],
  });
  const agent = new Agent({ connect: { ca: readFileSync(join(server.pkiDirectory, "ca.crt")) } });
  t.teardown(() => agent.destroy());
  const as = async (token: string, path: string, body?: object) => {
    const answer = await request(`${server.url}${path}`, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
      dispatcher: agent,
    });
    const text = await answer.body.text();
    // biome-ignore lint/suspicious/noExplicitAny: the test reads whatever the server answers
    return { code: answer.statusCode, json: (text.startsWith("{") ? JSON.parse(text) : text) as any };
  };
  const countOf = (token: string) => tokens.asked.filter(({ spec }) => spec.token === token).length;
  const deedsOf = (resource: string) =>
    deeds.asked.filter(({ spec }) => spec.resourceAttributes?.resource === resource);
  return { tokens, deeds, server, as, countOf, deedsOf };
}

const whoami = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
const WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

test("H1 H2 webhooks tell who asks and what they may do", async (t) => {
  const version = ["--authentication-token-webhook-version=v1", "--authorization-webhook-version=v1"];
  const { tokens, server, as, countOf, deedsOf } = await start(t, version);

  const { json } = await as("token-of-wendy", WHOAMI, whoami);
  t.same(json.status.userInfo, {
    username: "wendy",
    uid: "7",
    groups: ["hooks", "system:authenticated"],
    extra: { "example.com/from": ["far"] },
  });
  t.match(tokens.asked[0], {
    kind: "TokenReview",
    apiVersion: "authentication.k8s.io/v1",
    spec: { token: "token-of-wendy", audiences: ["https://kubernetes.default.svc.cluster.local"] },
  });
  await as("token-of-wendy", WHOAMI, whoami);
  t.equal(countOf("token-of-wendy"), 1, "a good token is remembered");
  t.match(await as("token-of-nobody", WHOAMI, whoami), { code: 401, json: { message: "Unauthorized" } });
  t.match(await as("unknown", "/api/v1/pods"), { code: 401 });
  t.match(await as("unknown", "/api/v1/pods"), { code: 401 });
  t.equal(countOf("unknown"), 1, "a bad one too");
  t.match(await as("token-of-elsewhere", WHOAMI, whoami), { code: 401 }, "its audience is another");

  await t.test("allowed, refused, left to RBAC", async (t) => {
    const query = "?labelSelector=app%20in%20(b,a),!gone&fieldSelector=metadata.name%3Dweb,metadata.namespace!%3Dx";
    t.equal((await as("token-of-wendy", `/api/v1/namespaces/default/configmaps${query}`)).code, 200);
    t.match(deedsOf("configmaps").at(-1), {
      kind: "SubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      spec: {
        resourceAttributes: {
          namespace: "default",
          verb: "list",
          version: "v1",
          resource: "configmaps",
          name: "web",
          fieldSelector: {
            requirements: [
              { key: "metadata.name", operator: "In", values: ["web"] },
              { key: "metadata.namespace", operator: "NotIn", values: ["x"] },
            ],
          },
          labelSelector: {
            requirements: [
              { key: "app", operator: "In", values: ["a", "b"] },
              { key: "gone", operator: "DoesNotExist" },
            ],
          },
        },
        user: "wendy",
        uid: "7",
        groups: ["hooks", "system:authenticated"],
        extra: { "example.com/from": ["far"] },
      },
    });
    t.notOk(Object.hasOwn(deedsOf("configmaps").at(-1)!.spec.resourceAttributes, "group"), "what is empty is left out");
    const asked = deedsOf("configmaps").length;
    await as("token-of-wendy", `/api/v1/namespaces/default/configmaps${query}`);
    t.equal(deedsOf("configmaps").length, asked, "an answer is remembered");
    t.match(await as("token-of-wendy", "/api/v1/secrets"), {
      code: 403,
      json: {
        message:
          'secrets is forbidden: User "wendy" cannot list resource "secrets" in API group "" at the cluster scope: secrets are not for you',
      },
    });
    t.match(await as("token-of-wendy", "/api/v1/pods"), { code: 403, json: { message: /: the hook does not care$/ } });
    t.equal((await as("token-of-wendy", "/version")).code, 200, "RBAC lets everybody see the version");
    t.equal((await as("token-of-wendy", "/hidden")).code, 404, "the hook lets it pass, nobody answers there");
    t.match(
      await as("token-of-reader", "/api/v1/namespaces/default/configmaps"),
      { code: 200 },
      "a user of the other server may be a service account",
    );
  });

  await t.test("a server that does not answer has no opinion", async (t) => {
    t.match(await as("token-of-wendy", "/api/v1/nodes"), {
      code: 500,
      json: { message: "Internal error occurred: the server is currently unable to handle the request" },
    });
    t.match(server.log(), /Failed to make webhook authorizer request/);
    await server.client.create(
      { group: "rbac.authorization.k8s.io", version: "v1", resource: "clusterrolebindings" } as never,
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: "hooks" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:node" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "hooks" }],
      } as never,
    );
    t.equal((await as("token-of-wendy", "/api/v1/nodes")).code, 200, "RBAC still allows");
  });

  await t.test("reviews ask the webhook too", async (t) => {
    const review = (spec: object) =>
      as("token-of-wendy", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec,
      });
    const resourceAttributes = { verb: "list", resource: "configmaps", fieldSelector: { rawSelector: "a=b" } };
    t.match((await review({ resourceAttributes })).json.status, { allowed: true, reason: "the hook likes it" });
    t.match(deedsOf("configmaps").at(-1)!.spec.resourceAttributes.fieldSelector, {
      requirements: [{ key: "a", operator: "In", values: ["b"] }],
    });
    t.match(
      (await review({ resourceAttributes: { ...resourceAttributes, fieldSelector: {} } })).json.message,
      /spec\.resourceAttributes\.fieldSelector\.requirements: Required value: when spec\.resourceAttributes\.fieldSelector is specified, requirements or rawSelector is required/,
    );
    t.match((await review({ resourceAttributes: { verb: "get", resource: "secrets" } })).json.status, {
      allowed: false,
      denied: true,
      reason: "secrets are not for you",
    });
    const rules = await as("token-of-wendy", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectRulesReview",
      spec: { namespace: "default" },
    });
    t.match(rules.json.status, {
      incomplete: true,
      evaluationError: "webhook authorizer does not support user rule resolution",
    });
  });

  await t.test("while the token server is away its tokens are nobody's, and all others still somebody's", async (t) => {
    await tokens.close();
    t.match(await as("another", "/api/v1/pods"), { code: 401, json: { message: "Unauthorized" } });
    t.match(server.log(), /Failed to make webhook authenticator request/);
    t.equal((await as("token-of-wendy", WHOAMI, whoami)).code, 201, "what is remembered holds");
    const { status } = await server.client.raw({ method: "GET", path: "/api/v1/secrets" });
    t.equal(status, 200, "a certificate needs no webhook");
    await tokens.open();
    t.match(await as("another", "/api/v1/pods"), { code: 401 });
    t.equal(countOf("another"), 1, "a failure is not remembered");
  });
});

test("webhooks of v1beta1, nothing remembered", async (t) => {
  const { tokens, as, countOf, deedsOf } = await start(t, [
    "--authentication-token-webhook-cache-ttl=0s",
    "--authorization-webhook-cache-authorized-ttl=0s",
    "--authorization-webhook-cache-unauthorized-ttl=0s",
  ]);
  for (let i = 0; i < 2; i++) t.equal((await as("token-of-wendy", "/api/v1/configmaps")).code, 200);
  t.equal(tokens.asked[0]?.apiVersion, "authentication.k8s.io/v1beta1");
  t.equal(countOf("token-of-wendy"), 2);
  const [first, second] = deedsOf("configmaps");
  t.match(first, { apiVersion: "authorization.k8s.io/v1beta1", spec: { group: ["hooks", "system:authenticated"] } });
  t.notOk(Object.hasOwn(first!.spec, "groups"), "v1beta1 calls them group");
  t.ok(second, "asked again");
});
