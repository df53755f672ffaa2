import { readFileSync } from "node:fs";
import { request } from "node:https";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

const pod = (spec: string) => `apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: ${spec}\n`;

test("B5 what kubectl says of wrong manifests", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  const table: [string, string, RegExp][] = [
    ["a missing image", pod("{ containers: [{ name: c }] }"), /spec\.containers\[0\]\.image: Required value/],
    ["no containers", pod("{ containers: [] }"), /spec\.containers: Required value/],
    [
      "an unknown field",
      pod("{ containers: [{ name: c, image: i, imagePolicy: x }] }"),
      /unknown field "spec\.containers\[0\]\.imagePolicy"/,
    ],
    [
      "a wrong type",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: { replicas: three }\n",
      /cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32|unknown|invalid/,
    ],
    [
      "a bad name",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: A_b }\n",
      /metadata\.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of/,
    ],
    [
      "an unknown kind",
      "apiVersion: v1\nkind: Poddy\nmetadata: { name: p }\n",
      /no matches for kind "Poddy" in version "v1"/,
    ],
    [
      "a selector that does not match",
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: { selector: { matchLabels: { a: b } }, template: { metadata: { labels: { c: d } }, spec: { containers: [{ name: c, image: i }] } } }\n`,
      /spec\.template\.metadata\.labels: Invalid value: map\[string\]string\{"c":"d"\}: `selector` does not match template `labels`/,
    ],
    [
      "a node port out of range",
      "apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { type: NodePort, ports: [{ port: 80, nodePort: 80 }] }\n",
      /spec\.ports\[0\]\.nodePort: Invalid value: 80: provided port is not in the valid range/,
    ],
    [
      "a webhook with side effects",
      "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: w }\nwebhooks: [{ name: a.b.c, sideEffects: Some, admissionReviewVersions: [v1], clientConfig: { url: 'https://a' } }]\n",
      /webhooks\[0\]\.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"/,
    ],
    [
      "a schema that is not structural",
      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: as.example.com }\nspec: { group: example.com, scope: Namespaced, names: { kind: A, plural: as }, versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, properties: { spec: { properties: {} } } } } }] }\n",
      /spec\.validation\.openAPIV3Schema\.properties\[spec\]\.type: Required value: must not be empty for specified object fields/,
    ],
    [
      "an autoscaler without a target",
      "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: a }\nspec: { maxReplicas: 1, scaleTargetRef: { kind: Deployment, name: a }, metrics: [{ type: Pods }] }\n",
      /spec\.metrics\[0\]\.pods: Required value: must populate information for the given metric source/,
    ],
    [
      "a range with host bits",
      "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: { name: r }\nspec: { cidrs: [10.9.0.1/24] }\n",
      /spec\.cidrs\[0\]: Invalid value: "10\.9\.0\.1\/24": must not have bits set beyond the prefix length/,
    ],
    [
      "a Job whose failure policy says nothing",
      "apiVersion: batch/v1\nkind: Job\nmetadata: { name: j }\nspec: { podFailurePolicy: { rules: [{ action: FailJob }] }, template: { spec: { restartPolicy: Never, containers: [{ name: c, image: i }] } } }\n",
      /spec\.podFailurePolicy\.rules\[0\]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required/,
    ],
  ];
  for (const [what, input, words] of table) {
    const { code, stderr } = await kubectl.attempt(["create", "-f", "-"], { input });
    t.equal(code, 1, what);
    t.match(stderr, words, what);
  }
  const status = '{"status":{"replicas":1,"readyReplicas":2}}';
  await kubectl.run(["create", "deployment", "d", "--image=i", "--replicas=0"]);
  t.match(await kubectl.attempt(["patch", "deployment", "d", "--subresource=status", "-p", status]), {
    code: 1,
    stderr: /status\.readyReplicas: Invalid value: 2: cannot be greater than status\.replicas/,
  });
  await kubectl.run(["create", "configmap", "there"]);
  t.match(await kubectl.attempt(["create", "configmap", "there"]), {
    code: 1,
    stderr: 'error: failed to create configmap: configmaps "there" already exists',
  });
  t.match(await kubectl.attempt(["get", "pod", "none"]), {
    code: 1,
    stderr: 'Error from server (NotFound): pods "none" not found',
  });
  t.match(await kubectl.attempt(["create", "configmap", "x", "-n", "no-such-namespace"]), {
    code: 1,
    stderr: 'namespaces "no-such-namespace" not found',
  });
});

interface Answer {
  code: number;
  body: { kind?: string; reason?: string; message?: string; code?: number };
}

test("B1 H1 raw requests: every fault is a Status with the right code, never a 500", async (t) => {
  const cluster = await useCluster(t);
  const { name: namespace } = await useNamespace(t, cluster);
  const pki = `${cluster.dataDir}/pki`;
  const admin = { cert: readFileSync(`${pki}/admin.crt`), key: readFileSync(`${pki}/admin.key`) };
  const ca = readFileSync(`${pki}/ca.crt`);

  const call = (
    method: string,
    path: string,
    {
      body,
      headers = {},
      anonymous = false,
    }: { body?: string | Buffer; headers?: Record<string, string>; anonymous?: boolean } = {},
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request(
        {
          host: cluster.nodeIp,
          port: cluster.securePort,
          method,
          path,
          ca,
          headers: { "content-type": "application/json", ...headers },
          ...(anonymous ? {} : admin),
          agent: false,
        },
        (response) => {
          let text = "";
          response.on("data", (chunk) => {
            text += chunk;
          });
          response.on("end", () => {
            let parsed: Answer["body"] = {};
            try {
              parsed = JSON.parse(text);
            } catch {
              parsed = { message: text };
            }
            resolve({ code: response.statusCode ?? 0, body: parsed });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });

  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
  const good = (name: string) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
  const table: [string, number, string, () => Promise<Answer>][] = [
    ["malformed JSON", 400, "BadRequest", () => call("POST", configMaps, { body: '{"kind":' })],
    ["an empty body", 400, "BadRequest", () => call("POST", configMaps, { body: "" })],
    ["an array", 400, "BadRequest", () => call("POST", configMaps, { body: "[]" })],
    [
      "malformed YAML",
      400,
      "BadRequest",
      () => call("POST", configMaps, { body: "a: [", headers: { "content-type": "application/yaml" } }),
    ],
    [
      "another kind",
      400,
      "BadRequest",
      () =>
        call("POST", configMaps, {
          body: JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "x" } }),
        }),
    ],
    [
      "another namespace",
      400,
      "BadRequest",
      () =>
        call("POST", configMaps, {
          body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "other" } }),
        }),
    ],
    [
      "CBOR",
      415,
      "UnsupportedMediaType",
      () => call("POST", configMaps, { body: "x", headers: { "content-type": "application/cbor" } }),
    ],
    [
      "protobuf that is none",
      400,
      "BadRequest",
      () => call("POST", configMaps, { body: "x", headers: { "content-type": "application/vnd.kubernetes.protobuf" } }),
    ],
    ["an impossible Accept", 406, "NotAcceptable", () => call("GET", configMaps, { headers: { accept: "image/png" } })],
    [
      "a body that is too large",
      413,
      "RequestEntityTooLarge",
      () => call("POST", configMaps, { body: Buffer.alloc(4 * 1024 * 1024, 32) }),
    ],
    ["no credentials", 403, "Forbidden", () => call("GET", configMaps, { anonymous: true })],
    [
      "a bad token",
      401,
      "Unauthorized",
      () => call("GET", configMaps, { anonymous: true, headers: { authorization: "Bearer nonsense" } }),
    ],
    [
      "an old resourceVersion",
      409,
      "Conflict",
      async () => {
        await call("POST", configMaps, { body: good("old") });
        return call("PUT", `${configMaps}/old`, {
          body: JSON.stringify({
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "old", resourceVersion: "1" },
          }),
        });
      },
    ],
    [
      "a bad label selector",
      400,
      "BadRequest",
      () => call("GET", `${configMaps}?labelSelector=${encodeURIComponent("a in (")}`),
    ],
    ["a bad field selector", 400, "BadRequest", () => call("GET", `${configMaps}?fieldSelector=spec.nothing%3Da`)],
    ["a watch from a bad version", 400, "BadRequest", () => call("GET", `${configMaps}?watch=1&resourceVersion=abc`)],
    [
      "a method that is not offered",
      405,
      "MethodNotAllowed",
      () => call("POST", `${configMaps}/old`, { body: good("old") }),
    ],
  ];
  for (const [what, code, reason, send] of table) {
    const answer = await send();
    t.equal(answer.code, code, `${what}: ${answer.body.message}`);
    t.match(answer.body, { kind: "Status", reason, code }, what);
  }
  // Paths that no resource is served at answer in plain text, as upstream's mux does.
  for (const path of [`/api/v1/namespaces/${namespace}/poddies`, "/apis/example.org/v1/things", "/nothing"])
    t.match(await call("GET", path), { code: 404, body: { message: /404 page not found/ } }, path);
  t.match((await call("POST", configMaps, { body: '{"apiVersion":"v1","kind":"ConfigMap"}' })).body, {
    code: 422,
    message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  });
  const polluted = await call("POST", configMaps, {
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto"},"__proto__":{"polluted":true},"data":{"__proto__":"x"}}',
  });
  t.ok(polluted.code < 500, `__proto__: ${polluted.code}`);
  t.equal((await call("GET", "/readyz", { anonymous: true })).code, 200, "it still serves");
  t.equal((await call("GET", "/version", { anonymous: true })).code, 200, "and says its version to anybody");
});
