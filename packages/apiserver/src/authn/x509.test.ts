// Client certificates of real CAs, and impersonation.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureClusterPki } from "@picokube/pki/cluster-certificates";
import { test } from "tap";
import type { Attributes, Authorizer } from "../authz/authorizer.js";
import type { UserInfo } from "./authenticator.js";
import { impersonate } from "./impersonation.js";
import { parseTokenFile } from "./static-token-file.js";
import { bearerToken } from "./token.js";
import { parseBundle, userOf, verifyClientCertificate } from "./x509.js";

async function pki(t: { teardown(callback: () => void): void }) {
  const directory = mkdtempSync(join(tmpdir(), "picokube-x509-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const names = { nodeName: "n1", nodeIps: ["127.0.0.1"], serviceIp: "10.96.0.1", clusterDomain: "cluster.local" };
  await ensureClusterPki({ directory, ...names });
  return (name: string) => parseBundle(readFileSync(join(directory, `${name}.crt`), "utf8"))[0]!;
}

test("certificates", async (t) => {
  const certificate = await pki(t);
  const other = await pki(t);
  const now = Date.now();
  const check = (name: string, options: { root?: typeof certificate; at?: number } = {}) =>
    verifyClientCertificate(certificate(name), {
      roots: [(options.root ?? certificate)("ca")],
      intermediates: [],
      now: options.at ?? now,
    });
  t.equal(check("apiserver-kubelet-client"), undefined);
  t.match(userOf(certificate("apiserver-kubelet-client")), {
    name: "kube-apiserver-kubelet-client",
    groups: ["system:masters"],
    extra: { "authentication.kubernetes.io/credential-id": [/^X509SHA256=[0-9a-f]{64}$/] },
  });
  t.equal(check("apiserver-kubelet-client", { root: other }), "x509: certificate signed by unknown authority");
  t.equal(check("apiserver"), "x509: certificate specifies an incompatible key usage");
  t.match(
    check("apiserver-kubelet-client", { at: now + 50 * 365 * 86_400_000 }),
    /has expired or is not yet valid: .* is after/,
  );
  t.match(
    check("apiserver-kubelet-client", { at: now - 365 * 86_400_000 }),
    /has expired or is not yet valid: .* is before/,
  );
});

const requestWith = (headersDistinct: { [name: string]: string[] }) =>
  ({
    headersDistinct,
    headers: Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, values.join(", ")])),
  }) as unknown as IncomingMessage;

test("impersonation", async (t) => {
  const asked: string[] = [];
  const authorizer: Authorizer = {
    name: "",
    authorize({ user, verb, resource }: Attributes) {
      asked.push(`${verb} ${resource?.resource}/${resource?.subresource} ${resource?.namespace} ${resource?.name}`);
      return { decision: user.name === "admin" ? "Allow" : "NoOpinion", reason: "" };
    },
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [] }),
  };
  const admin: UserInfo = { name: "admin", groups: [] };
  t.equal(await impersonate(requestWith({}), admin, authorizer), admin);
  t.same(
    await impersonate(requestWith({ "impersonate-user": ["bob"], "impersonate-group": ["devs"] }), admin, authorizer),
    {
      name: "bob",
      groups: ["devs", "system:authenticated"],
    },
  );
  t.same(asked, ["impersonate users/  bob", "impersonate groups/  devs"]);
  t.same(
    (await impersonate(requestWith({ "impersonate-user": ["system:serviceaccount:dev:app"] }), admin, authorizer))
      .groups,
    ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"],
  );
  t.same((await impersonate(requestWith({ "impersonate-user": ["system:anonymous"] }), admin, authorizer)).groups, [
    "system:unauthenticated",
  ]);
  await t.rejects(
    async () => impersonate(requestWith({ "impersonate-user": ["admin"] }), { name: "eve", groups: [] }, authorizer),
    {
      code: 403,
      message:
        'users "admin" is forbidden: User "eve" cannot impersonate resource "users" in API group "" at the cluster scope',
    },
  );
  await t.rejects(
    async () => impersonate(requestWith({ "impersonate-group": ["system:masters"] }), admin, authorizer),
    {
      code: 400,
    },
  );
});

test("where tokens stand in a request", (t) => {
  const token = (headers: object) => bearerToken({ headers } as IncomingMessage);
  t.equal(token({ authorization: "Bearer abc" }), "abc");
  t.equal(token({ authorization: "bearer abc" }), "abc");
  t.equal(token({ authorization: "Basic abc" }), undefined);
  t.equal(token({ authorization: "Bearer " }), undefined);
  t.equal(token({}), undefined);
  const protocols = `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from("abc").toString("base64url")}`;
  t.equal(token({ upgrade: "websocket", "sec-websocket-protocol": protocols }), "abc");
  t.end();
});

test("the token file", (t) => {
  const users = parseTokenFile('t1,alice,1,"devs,admins"\n\nt2,bob,2\nt1,eve,3\n', "f");
  t.same(users.get("t1"), { name: "alice", uid: "1", groups: ["devs", "admins"] });
  t.same(users.get("t2"), { name: "bob", uid: "2", groups: [] });
  t.throws(() => parseTokenFile("only-a-token\n", "f"), /at least 3 columns/);
  t.end();
});
