// Requests for certificates against a real apiserver: approved, signed, refused, cleaned; a kubelet's own and others'.

import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { isNotFound } from "@picokube/api/errors";
import { clusterrolebindings } from "@picokube/api/rbac/v1";
import type { Client } from "@picokube/client/client";
import { createCertificateRequest } from "@picokube/pki/certificate-request";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { csrApprovingController } from "../csr-approving/csr-approving-controller.js";
import { csrCleanerController, lifeLeftMs } from "../csr-cleaner/csr-cleaner-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { csrSigningController } from "./csr-signing-controller.js";

const HOUR_MS = 60 * 60 * 1000;
const CLIENT = "kubernetes.io/kube-apiserver-client";
const KUBELET = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING = "kubernetes.io/kubelet-serving";

interface Asked {
  readonly name: string;
  readonly signerName: string;
  readonly usages?: readonly string[];
  readonly subject?: { commonName: string; organizations?: string[]; names?: string[] };
  readonly expirationSeconds?: number;
}

const node = { commonName: "system:node:one", organizations: ["system:nodes"] };

async function ask(client: Client, { name, signerName, usages, subject, expirationSeconds }: Asked) {
  const { request } = await createCertificateRequest(subject ?? node);
  const spec = {
    request: Buffer.from(request).toString("base64"),
    signerName,
    usages: usages ?? ["digital signature", "client auth"],
    ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
  };
  await client.create(certificatesigningrequests, { metadata: { name }, spec } as CertificateSigningRequest);
}

async function approve(client: Client, name: string) {
  const csr = await client.get(certificatesigningrequests, { name });
  const conditions = [{ type: "Approved", status: "True", reason: "ByHand", message: "by a person" }];
  const approved = { ...csr, status: { ...csr.status, conditions } } as CertificateSigningRequest;
  await client.update(certificatesigningrequests, approved, { subresource: "approval" });
}

const issued = (client: Client, name: string) =>
  eventually(`${name} is issued`, async () => {
    const { status } = await client.get(certificatesigningrequests, { name });
    return status?.certificate ? new X509Certificate(Buffer.from(status.certificate, "base64")) : undefined;
  });

const failed = (client: Client, name: string) =>
  eventually(`${name} fails`, async () => {
    const { status } = await client.get(certificatesigningrequests, { name });
    return status?.conditions?.find(({ type }) => type === "Failed");
  });

test("what a person approves is signed as its signer signs", async (t) => {
  const server = await startApiServer(t);
  const { client, pkiDirectory } = server;
  const options = {
    clusterSigningCertFile: join(pkiDirectory, "ca.crt"),
    clusterSigningKeyFile: join(pkiDirectory, "ca.key"),
    clusterSigningDuration: 48 * HOUR_MS,
  };
  runControllers(t, { client, create: [csrSigningController], options });
  const lifeHours = ({ validFrom, validTo }: X509Certificate) =>
    Math.round((Date.parse(validTo) - Date.parse(validFrom)) / HOUR_MS);

  await ask(client, { name: "vera", signerName: CLIENT, subject: { commonName: "vera", organizations: ["dev"] } });
  await approve(client, "vera");
  const vera = await issued(client, "vera");
  t.equal(vera.subject, "O=dev\nCN=vera");
  t.equal(lifeHours(vera), 48);
  await ask(client, { name: "short", signerName: CLIENT, expirationSeconds: 3 * 3600 });
  await approve(client, "short");
  t.equal(lifeHours(await issued(client, "short")), 3);
  await ask(client, { name: "long", signerName: CLIENT, expirationSeconds: 1000 * 3600 });
  await approve(client, "long");
  t.equal(lifeHours(await issued(client, "long")), 48, "no longer than the signer's longest");
  const serving = { ...node, names: ["one", "192.0.2.7"] };
  const serverAuth = ["digital signature", "server auth"];
  await ask(client, { name: "serving", signerName: SERVING, subject: serving, usages: serverAuth });
  await approve(client, "serving");
  t.equal((await issued(client, "serving")).checkIP("192.0.2.7"), "192.0.2.7");

  const refused: [asked: Asked, message: string][] = [
    [
      { name: "a", signerName: CLIENT, usages: ["client auth", "server auth"] },
      "invalid usage for client certificate: server auth",
    ],
    [
      { name: "b", signerName: CLIENT, usages: ["digital signature"] },
      "missing required usage for client certificate: client auth",
    ],
    [
      { name: "c", signerName: KUBELET, subject: { commonName: "system:node:one" } },
      "subject organization is not system:nodes",
    ],
    [
      { name: "d", signerName: KUBELET, subject: { ...node, commonName: "vera" } },
      "subject common name does not begin with system:node:",
    ],
    [{ name: "e", signerName: KUBELET, subject: { ...node, names: ["one"] } }, "DNS subjectAltNames are not allowed"],
    [{ name: "f", signerName: SERVING, usages: serverAuth }, "DNS or IP subjectAltName is required"],
    [
      { name: "g", signerName: SERVING, subject: serving },
      "usages did not match [digital signature key encipherment server auth]",
    ],
  ];
  for (const [asked, message] of refused) {
    await ask(client, asked);
    await approve(client, asked.name);
    t.match(await failed(client, asked.name), { reason: "SignerValidationFailure", message });
  }
  await ask(client, { name: "pending", signerName: CLIENT });
  await ask(client, { name: "foreign", signerName: "example.com/own" });
  await approve(client, "foreign");
  await ask(client, { name: "last", signerName: CLIENT });
  await approve(client, "last");
  await issued(client, "last");
  for (const name of ["pending", "foreign"]) {
    t.equal((await client.get(certificatesigningrequests, { name })).status?.certificate, undefined, name);
  }
});

test("kubelets' requests are approved where RBAC lets them be", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  runControllers(t, { client, create: [csrApprovingController] });
  // The administrator is who asks: with every right, a kubelet's request of another name is "nodeclient".
  await ask(client, { name: "first", signerName: KUBELET });
  const approved = await eventually("it is approved", async () => {
    const { status } = await client.get(certificatesigningrequests, { name: "first" });
    return status?.conditions?.find(({ type }) => type === "Approved");
  });
  t.match(approved, {
    reason: "AutoApproved",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
  });
  await ask(client, { name: "person", signerName: CLIENT, subject: { commonName: "vera" } });
  await ask(client, { name: "wrong", signerName: KUBELET, subject: { ...node, names: ["one"] } });
  // Without the right: the scheduler may make requests once it is bound, but none is approved for it.
  const bootstrapper = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:node-bootstrapper" };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "system:kube-scheduler" }];
  await client.create(clusterrolebindings, { metadata: { name: "b" }, roleRef: bootstrapper, subjects });
  const scheduler = server.as("kube-scheduler").client;
  await ask(scheduler, { name: "unbound", signerName: KUBELET });
  await ask(client, { name: "last", signerName: KUBELET });
  await eventually("the last one is approved", async () => {
    const { status } = await client.get(certificatesigningrequests, { name: "last" });
    return status?.conditions?.some(({ type }) => type === "Approved");
  });
  for (const name of ["person", "wrong", "unbound"]) {
    t.same((await client.get(certificatesigningrequests, { name })).status ?? {}, {}, name);
  }
});

test("what is done with, and what nobody answers, is deleted in its time", async (t) => {
  const nowMs = Date.parse("2026-11-21T12:00:00Z");
  const at = (hoursAgo: number) => new Date(nowMs - hoursAgo * HOUR_MS).toISOString();
  const csr = (type: string | undefined, hoursAgo: number) =>
    ({
      metadata: { name: "a", creationTimestamp: at(hoursAgo) },
      status: type ? { conditions: [{ type, lastUpdateTime: at(hoursAgo) }] } : {},
    }) as unknown as CertificateSigningRequest;
  t.equal(lifeLeftMs(csr("Approved", 0.5), nowMs), HOUR_MS / 2);
  t.equal(lifeLeftMs(csr("Denied", 1), nowMs), 0);
  t.equal(lifeLeftMs(csr("Failed", 2), nowMs), -HOUR_MS);
  t.equal(lifeLeftMs(csr(undefined, 1), nowMs), 23 * HOUR_MS);

  const { client } = await startApiServer(t);
  const clock = steppingClock(Date.now());
  runControllers(t, { client, create: [csrCleanerController], clock });
  await ask(client, { name: "forgotten", signerName: CLIENT });
  await ask(client, { name: "done", signerName: CLIENT });
  await approve(client, "done");
  const isGone = (name: string) => async () => {
    await clock.advance(60_000);
    try {
      await client.get(certificatesigningrequests, { name });
      return false;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  };
  const startMs = clock.now();
  await eventually("the approved one is gone", isGone("done"));
  t.ok(clock.now() - startMs >= 0.9 * HOUR_MS);
  t.equal((await client.get(certificatesigningrequests, { name: "forgotten" })).metadata.name, "forgotten");
  await clock.advance(24 * HOUR_MS);
  await eventually("the pending one is gone", isGone("forgotten"));
});
