// A server that answers TokenReviews and SubjectAccessReviews as a test says, over TLS with a client certificate wanted,
// and the kubeconfig file that leads to it. Judges nothing itself.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ensureClusterPki } from "@picokube/pki/cluster-certificates";
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
  const pki = join(directory, "pki");
  const names = { nodeName: "node-1", nodeIps: ["127.0.0.1"], serviceIp: "10.96.0.1", clusterDomain: "cluster.local" };
  await ensureClusterPki({ directory: pki, ...names });
  const file = (name: string) => readFileSync(join(pki, name));
  const asked: Review[] = [];
  const tls = { cert: file("apiserver.crt"), key: file("apiserver.key"), ca: file("ca.crt") };
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
  const cluster = { server: `https://127.0.0.1:${port}/judge`, "certificate-authority": join(pki, "ca.crt") };
  const user = { "client-certificate": join(pki, "admin.crt"), "client-key": join(pki, "admin.key") };
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
