// httpGet probes against real servers: which answers are a success, a warning, a failure, and what is sent.

import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { test } from "tap";
import { urlOf } from "./http-get.js";
import { probeHttp } from "./http-probe.js";
import { listen } from "./servers.testing.js";

const timeoutMs = 30_000;

test("redirects", async (t) => {
  let hops = 0;
  const port = await listen(
    t,
    createServer(({ url }, response) => {
      const location = { "/on": "/ok", "/away": "http://elsewhere.example/", "/round": "/round" }[url!];
      if (url === "/round") hops++;
      response.writeHead(url === "/ok" ? 200 : 302, location ? { location } : {}).end("the body");
    }),
  );
  const probe = (path: string) =>
    probeHttp({ url: new URL(`http://127.0.0.1:${port}${path}`), headers: [], timeoutMs });
  t.same(await probe("/on"), { success: true, message: "" }, "on the host they are followed");
  const warning = { success: true, isWarning: true, message: "Probe terminated redirects, Response body: the body" };
  t.same(await probe("/away"), warning, "another host is not asked");
  t.same(await probe("/nowhere"), warning);
  t.match(await probe("/round"), { success: false, message: /stopped after 10 redirects$/ });
  t.equal(hops, 11);
});

test("headers: the probe's own, those given instead, and none where the value is empty", async (t) => {
  const seen: IncomingHttpHeaders[] = [];
  const port = await listen(
    t,
    createServer(({ headers }, response) => {
      seen.push(headers);
      response.end();
    }),
  );
  const url = new URL(`http://127.0.0.1:${port}/`);
  await probeHttp({ url, headers: [], timeoutMs });
  t.match(seen[0], { host: `127.0.0.1:${port}`, "user-agent": "kube-probe/1.33", accept: "*/*", connection: "close" });
  const given = [
    { name: "Host", value: "me.example" },
    { name: "User-Agent", value: "" },
    { name: "Accept", value: "text/plain" },
  ];
  await probeHttp({ url, headers: given, timeoutMs });
  t.match(seen[1], { host: "me.example", accept: "text/plain" });
  t.equal(seen[1]?.["user-agent"], undefined);
});

test("a body without end is not read to its end", async (t) => {
  const port = await listen(
    t,
    createServer((_, response) => {
      const chunk = Buffer.alloc(4096);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
    }),
  );
  t.match(await probeHttp({ url: new URL(`http://127.0.0.1:${port}/`), headers: [], timeoutMs }), { success: true });
});

test("HTTPS: nobody looks at the certificate", async (t) => {
  const nowMs = Date.now();
  const ca = await createCa({ commonName: "somebody", nowMs });
  const subject = { commonName: "other", usages: ["server" as const], names: ["other.example"] };
  const port = await listen(
    t,
    createTlsServer(
      await issueCertificate({ ca, subject, nowMs }),
      (_, response) => void response.writeHead(204).end(),
    ),
  );
  const container = { name: "c", image: "i", ports: [{ name: "web", containerPort: port }] };
  const url = urlOf({ scheme: "HTTPS", port: "web", path: "healthz" }, container, "127.0.0.1");
  t.equal(url.href, `https://127.0.0.1:${port}/healthz`);
  t.same(await probeHttp({ url, headers: [], timeoutMs }), { success: true, message: "" });
  t.match(await probeHttp({ url: new URL(`http://127.0.0.1:${port}/`), headers: [], timeoutMs }), { success: false });
});
