// Where the kubelet's client certificate comes from when it starts, and when a kubelet without one gives up.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@picokube/client/rest-client";
import { parseFlags } from "@picokube/component-base/flag-set";
import { createLogger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { writeKubeconfig } from "@picokube/pki/kubeconfig";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { flags } from "../flags.js";
import { type KubeletFlags, resolveOptions } from "../options.js";
import { clientCertificateManager, clientCredentials, exitWithoutCertificate } from "./kubelet-certificates.js";

const yearMs = 365 * 24 * 3_600_000;
const logger = createLogger({ write: () => {} });
const { signal } = new AbortController();

/** A kubelet's options whose kubeconfig has a certificate of a year in it. */
async function place(t: Test, more: string[] = []) {
  const directory = t.testdir();
  const nowMs = Date.now();
  const ca = await createCa({ commonName: "kubernetes", nowMs });
  const subject = { commonName: "system:node:one", organizations: ["system:nodes"], usages: ["client" as const] };
  const pair = await issueCertificate({ ca, subject, nowMs });
  const kubeconfig = join(directory, "kubelet.conf");
  const names = { clusterName: "c", userName: "u", contextName: "x", server: "https://127.0.0.1:1" };
  writeKubeconfig(kubeconfig, { ...names, ca: ca.cert, credentials: pair });
  const words = [
    `--kubeconfig=${kubeconfig}`,
    `--cert-dir=${join(directory, "pki")}`,
    "--hostname-override=one",
    ...more,
  ];
  const { values, changed } = parseFlags("kubelet", flags, words);
  const options = await resolveOptions(values as KubeletFlags, { changed, logger, hostIp: async () => "192.0.2.1" });
  return { options, pair, current: join(directory, "pki", "kubelet-client-current.pem"), clock: steppingClock(nowMs) };
}

test("without rotation the kubeconfig is used as it is", async (t) => {
  const { options, clock, pair } = await place(t);
  t.same((await clientCredentials({ options, clock, logger }, signal)).cert, { pem: pair.cert });
});

test("with rotation the kubeconfig's certificate is the store's first", async (t) => {
  const { options, clock, pair, current } = await place(t, ["--rotate-certificates"]);
  const credentials = await clientCredentials({ options, clock, logger }, signal);
  t.same([credentials.cert, credentials.key], [{ file: current }, { file: current }]);
  t.equal(readFileSync(current, "utf8"), pair.cert + pair.key);
});

test("a kubeconfig that still holds needs no bootstrap", async (t) => {
  const { options, clock } = await place(t, ["--bootstrap-kubeconfig=/there/is/none"]);
  await clientCredentials({ options, clock, logger }, signal);
  await clock.advance(2 * yearMs);
  await t.rejects(
    clientCredentials({ options, clock, logger }, signal),
    /stat \/there\/is\/none: no such file/,
    "one that has expired does",
  );
});

test("five minutes without a valid certificate are the end", async (t) => {
  const { options, clock } = await place(t, ["--rotate-certificates"]);
  const kubeconfig = await clientCredentials({ options, clock, logger }, signal);
  const client = createClient({ kubeconfig, userAgent: "test" });
  t.teardown(() => client.close());
  const metrics = createMetrics();
  const manager = clientCertificateManager({ options, clock, logger }, { client, metrics })!;
  t.match(await metrics.render(), /^kubelet_certificate_manager_client_ttl_seconds 31\d{6}$/m);
  let ended: Error | undefined;
  void exitWithoutCertificate(manager, clock, signal).catch((error: Error) => {
    ended = error;
  });
  await clock.advance(60_000);
  t.equal(ended, undefined);
  // Past its end in one step: what happens at each ten seconds of a year is of no interest.
  const expired = { ...clock, now: () => clock.now() + 2 * yearMs };
  const late = clientCertificateManager({ options, clock: expired, logger }, { client, metrics: createMetrics() })!;
  t.equal(late.current(), undefined);
  void exitWithoutCertificate(late, expired, signal).catch((error: Error) => {
    ended = error;
  });
  await clock.advance(4 * 60_000);
  t.equal(ended, undefined, "not yet");
  await clock.advance(2 * 60_000);
  t.match(ended, { message: /No valid client certificate is found/ });
});
