// A server that answers TokenReviews and SubjectAccessReviews as a test says, over TLS with a client certificate wanted,
// and the kubeconfig file that leads to it. Judges nothing itself.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import type { TestWithTeardown } from "@picokube/testing/apiserver";

export interface Review {
  readonly kind: string;
  readonly apiVersion: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever was asked
  readonly spec: any;
}

export interface ReviewServer {
  readonly kubeconfig: string;
  /** What was asked so far. */
  readonly asked: Review[];
  /** Stops listening; its port stays closed until it is opened again. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** A number is the status code of a refusal, an object the review's status. */
export type Judge = (review: Review) => object | number;

/** Listens on a port by chance until the test ends. */
export async function startReviewServer(t: TestWithTeardown, judge: Judge): Promise<ReviewServer> {
  const directory = mkdtempSync(join(tmpdir(), "review-server-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const nowMs = Date.now();
  const ca = await createCa({ commonName: "review-ca", nowMs });
  const issued = (commonName: string, usage: "server" | "client") =>
    issueCertificate({ ca, subject: { commonName, usages: [usage], names: ["127.0.0.1"] }, nowMs });
  const [serving, client] = [await issued("judge", "server"), await issued("kube-apiserver", "client")];
  const written = (name: string, pem: string) => {
    writeFileSync(join(directory, name), pem);
    return join(directory, name);
  };
  const asked: Review[] = [];
  const tls = { ...serving, ca: ca.cert };
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const review = JSON.parse(await text(request)) as Review;
    asked.push(review);
    const verdict = judge(review);
    response.setHeader("content-type", "application/json");
    if (typeof verdict === "number") response.statusCode = verdict;
    response.end(JSON.stringify(typeof verdict === "number" ? {} : { ...review, status: verdict }));
  };
  let port = 0;
  const open = async () => {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  await open();
  const kubeconfig = join(directory, "webhook.kubeconfig");
  const cluster = { server: `https://127.0.0.1:${port}/judge`, "certificate-authority": written("ca.crt", ca.cert) };
  const user = {
    "client-certificate": written("client.crt", client.cert),
    "client-key": written("client.key", client.key),
  };
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  };
  writeFileSync(kubeconfig, JSON.stringify(document));
  return { kubeconfig, asked, open, close };
}
