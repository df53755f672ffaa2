// A client whose certificate's file changes: new connections show the new one, requests under way end in their own time.

import { once } from "node:events";
import { utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { createTransport } from "@picokube/client/transport";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";

test("a renewed certificate is shown on new connections", async (t) => {
  const nowMs = Date.now();
  const ca = await createCa({ commonName: "kubernetes", nowMs });
  const issue = (commonName: string, usage: "server" | "client") =>
    issueCertificate({ ca, subject: { commonName, usages: [usage], names: ["127.0.0.1"] }, nowMs });
  const server = createServer(
    { ...(await issue("server", "server")), ca: ca.cert, requestCert: true },
    (request, response) => {
      const name = (request.socket as TLSSocket).getPeerX509Certificate()?.subject ?? "nobody";
      response.write(name);
      // The held request ends with the connection alone.
      if (request.url !== "/held") response.end();
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const file = join(t.testdir(), "client.pem");
  const write = ({ cert, key }: { cert: string; key: string }, at: number) => {
    writeFileSync(file, cert + key);
    utimesSync(file, at, at);
  };
  write(await issue("first", "client"), 1_000);
  const clock = steppingClock();
  const { port } = server.address() as AddressInfo;
  const kubeconfig = { server: `https://127.0.0.1:${port}`, namespace: "default", ca: { pem: ca.cert } };
  const transport = createTransport({ kubeconfig: { ...kubeconfig, cert: { file }, key: { file } }, clock });
  t.teardown(async () => {
    await transport.close();
    server.closeAllConnections();
    server.close();
  });
  const ask = (path: string) => transport.request({ method: "GET", path, headers: {}, bodyTimeoutMs: 0 });
  const who = async () => (await ask("/")).body.text();

  t.equal(await who(), "CN=first");
  const held = (await ask("/held")).body;
  held.on("error", () => {});
  t.equal(String((await once(held, "data"))[0]), "CN=first");
  write(await issue("second", "client"), 2_000);
  t.equal(await who(), "CN=first", "the file is looked at every ten seconds");
  await clock.advance(10_000);
  t.equal(await who(), "CN=second");
  t.notOk(held.destroyed, "a watch under way goes on");
});
