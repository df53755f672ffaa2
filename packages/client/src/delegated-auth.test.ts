// Delegated authentication and authorisation, asked of a real server.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { realClock } from "@picokube/component-base/clock";
import { test } from "tap";
import { createDelegatedAuth } from "./delegated-auth.js";
import { createClient } from "./rest-client.js";

test("tokens and deeds are asked once and remembered", async (t) => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { spec } = JSON.parse(body) as { spec: { token?: string; user?: string } };
    asked.push(spec.token ?? `may ${spec.user}`);
    const status = spec.token
      ? { authenticated: spec.token === "good", user: { username: "bob", groups: ["g"] } }
      : { allowed: spec.user === "bob", reason: "" };
    response.end(JSON.stringify({ metadata: {}, spec, status }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createClient({ kubeconfig: { server: `http://127.0.0.1:${port}`, namespace: "" }, userAgent: "t" });
  t.teardown(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  let nowMs = 0;
  const auth = createDelegatedAuth({ client, clock: { ...realClock(), now: () => nowMs } });
  const request = (authorization?: string) =>
    ({ method: "GET", url: "/metrics", headers: { authorization }, socket: {} }) as unknown as IncomingMessage;
  t.strictSame(await auth.authorizePath(request("Bearer good")), { allowed: true });
  t.strictSame(await auth.authorizePath(request("Bearer good")), { allowed: true });
  t.strictSame(asked, ["good", "may bob"]);
  t.match(await auth.authorizePath(request("Bearer bad")), { allowed: false, code: 401 });
  t.match(await auth.authorizePath(request()), {
    allowed: false,
    code: 403,
    message: "Forbidden (user=system:anonymous, verb=get, path=/metrics)",
  });
  const certificate = { authorized: false, getPeerCertificate: () => ({ subject: { CN: "mallory" } }) };
  t.match(
    await auth.authorizePath({ ...request(), socket: certificate } as unknown as IncomingMessage),
    { allowed: false, code: 401, message: "Unauthorized" },
    "a certificate that is not good is not nobody's",
  );
  nowMs = 20_000;
  await auth.authorizePath(request("Bearer good"));
  t.equal(asked.filter((each) => each === "good").length, 2, "asked again when the answer is old");
  const strict = createDelegatedAuth({ client, clock: realClock(), anonymous: false });
  t.match(await strict.authorizePath(request()), { allowed: false, code: 401, message: "Unauthorized" });
});
