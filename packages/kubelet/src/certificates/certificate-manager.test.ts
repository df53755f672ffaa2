// A certificate through its life on a stepping clock, its requests in a real apiserver; the test is who signs.

import { join } from "node:path";
import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import type { Client } from "@picokube/client/client";
import { createLogger } from "@picokube/component-base/logger";
import { signCertificateRequest } from "@picokube/pki/certificate-request";
import { readKeyPair } from "@picokube/pki/pem";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createCertificateManager } from "./certificate-manager.js";
import { type CertificateTemplate, nodeTemplate } from "./certificate-plan.js";
import { createCertificateStore } from "./certificate-store.js";

const signerName = "kubernetes.io/kubelet-serving";
const minuteMs = 60_000;

const pending = async (client: Client, count: number): Promise<CertificateSigningRequest[] | undefined> => {
  const { items } = await client.list(certificatesigningrequests);
  const open = items.filter(({ status }) => !status?.conditions?.length);
  return open.length === count ? open : undefined;
};

async function judge(client: Client, csr: CertificateSigningRequest, type: "Approved" | "Denied") {
  const conditions = [{ type, status: "True", reason: "ByHand", message: "by a person" }];
  const judged = { ...csr, status: { ...csr.status, conditions } } as CertificateSigningRequest;
  return client.update(certificatesigningrequests, judged, { subresource: "approval" });
}

test("asked for, waited for, rotated, and asked for again when the addresses change", async (t) => {
  const { client, pkiDirectory } = await startApiServer(t);
  const clock = steppingClock(Date.now());
  const controller = new AbortController();
  const store = createCertificateStore({ directory: join(t.testdir(), "pki"), prefix: "kubelet-server" });
  const ca = readKeyPair(pkiDirectory, "ca")!;
  let template: CertificateTemplate | undefined;
  let errors = 0;
  const lives: number[] = [];
  const manager = createCertificateManager({
    signerName,
    usages: ["digital signature", "server auth"],
    store,
    client,
    template: () => template,
    onRenewError: () => errors++,
    onRotation: (seconds) => lives.push(seconds),
    clock,
    logger: createLogger({ write: () => {} }),
    random: () => 0.5,
  });
  async function sign(csr: CertificateSigningRequest) {
    const approved = await judge(client, csr, "Approved");
    const certificate = await signCertificateRequest({
      request: Buffer.from(csr.spec.request, "base64").toString(),
      ca,
      usages: csr.spec.usages ?? [],
      lifetimeMs: 60 * minuteMs,
      nowMs: clock.now(),
    });
    const status = { ...approved.status, certificate: Buffer.from(certificate).toString("base64") };
    await client.update(certificatesigningrequests, { ...approved, status }, { subresource: "status" });
  }
  /** Time goes on, in steps of a second, until the probe finds something. */
  const stepping = <T>(what: string, probe: () => Promise<T | undefined | false>) =>
    eventually(
      what,
      async () => {
        await clock.advance(1_000);
        return probe();
      },
      60_000,
    );
  const running = manager.run(controller.signal);
  t.teardown(async () => {
    controller.abort();
    await running;
  });

  await clock.advance(60_000);
  t.same((await client.list(certificatesigningrequests)).items, [], "nothing is asked before the addresses are known");
  template = { ...nodeTemplate("one"), dnsNames: ["one"], ipAddresses: ["192.0.2.1"] };
  const [first] = await stepping("a request", () => pending(client, 1));
  t.match(first, { spec: { signerName, usages: ["digital signature", "server auth"] } });
  await judge(client, first!, "Denied");
  const [second] = await stepping("another after the denied one", () => pending(client, 1));
  t.equal(errors, 1);
  await sign(second!);
  const one = await stepping("the certificate", async () => manager.current());
  t.equal(one.leaf.checkIP("192.0.2.1"), "192.0.2.1");
  t.equal(store.current()?.leaf.serialNumber, one.leaf.serialNumber, "on disk too");

  // 80 % of an hour and its five minutes of backdating, the random share being a half: 47 minutes from now.
  await clock.advance(46 * minuteMs);
  t.same(await pending(client, 0), [], "not before its time");
  await clock.advance(2 * minuteMs);
  const [third] = await stepping("a request in time", () => pending(client, 1));
  t.equal(manager.current()?.leaf.serialNumber, one.leaf.serialNumber, "the old one serves meanwhile");
  await sign(third!);
  const two = await stepping("the next one", async () => {
    const current = manager.current();
    return current?.leaf.serialNumber !== one.leaf.serialNumber && current;
  });
  t.equal(Math.floor(lives[0]! / 60), 53, "how long the old one had lived");

  template = { ...template, ipAddresses: ["192.0.2.7"] };
  const [fourth] = await stepping("a request for the new address", () => pending(client, 1));
  // The address changes once more while that one waits: nobody wants it any longer.
  template = { ...template, ipAddresses: ["192.0.2.8"] };
  const open = await stepping("one for the newest address", () => pending(client, 2));
  await sign(open.find(({ metadata }) => metadata.uid !== fourth!.metadata.uid)!);
  const three = await stepping("the one that names it", async () => {
    const current = manager.current();
    return current?.leaf.serialNumber !== two.leaf.serialNumber && current;
  });
  t.equal(three.leaf.checkIP("192.0.2.8"), "192.0.2.8");
});
