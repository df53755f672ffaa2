// Whose serving certificates are approved without a person: the rule by table, the controller against a real apiserver.

import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { type Node, nodes, services } from "@picokube/api/core/v1";
import { createCertificateRequest, parseCertificateRequest } from "@picokube/pki/certificate-request";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { kubeletServingApproverController, servingRequestFault } from "./kubelet-serving-approver-controller.js";

const usages = ["digital signature", "server auth"];
const identity = { commonName: "system:node:node-1", organizations: ["system:nodes"] };
const addresses = [
  { type: "InternalIP", address: "192.0.2.7" },
  { type: "Hostname", address: "node-1" },
];

test("a node gets what its status names, by its own asking", async (t) => {
  const node = { metadata: { name: "node-1" }, status: { addresses } } as Node;
  const claims = (address: string) =>
    ({ ...node, status: { addresses: [...addresses, { type: "ExternalIP", address }] } }) as Node;
  const groups = ["system:nodes", "system:authenticated"];
  const own = { username: "system:node:node-1", groups, usages };
  const table: [words: string, spec: object, names: string[], node: Node | undefined, wanted: RegExp | undefined][] = [
    ["its own", own, ["node-1", "192.0.2.7"], node, undefined],
    ["a part of it", own, ["192.0.2.7"], node, undefined],
    ["another's address", own, ["192.0.2.7", "192.0.2.8"], node, /does not name 192\.0\.2\.8/],
    ["the API server's name", own, ["kubernetes"], node, /does not name kubernetes/],
    [
      "its name, claimed",
      own,
      ["kubernetes.default.svc"],
      claims("kubernetes.default.svc"),
      /is also the API server's/,
    ],
    ["its address, claimed", own, ["192.0.2.7", "192.0.2.1"], claims("192.0.2.1"), /^192\.0\.2\.1 is also/],
    ["its Service's address, claimed", own, ["10.96.0.1"], claims("10.96.0.1"), /is also the API server's/],
    ["everybody's own address, claimed", own, ["127.0.0.1"], claims("127.0.0.1"), /is also the API server's/],
    [
      "asked by another node",
      { ...own, username: "system:node:node-2" },
      ["node-1"],
      node,
      /made by system:node:node-2/,
    ],
    ["asked by a person", { ...own, username: "system:node:node-1", groups: [] }, ["node-1"], node, /not by the node/],
    ["a node that is not there", own, ["node-1"], undefined, /there is no such node/],
    ["for another use", { ...own, usages: ["client auth"] }, ["node-1"], node, /usages did not match/],
  ];
  for (const [words, spec, names, of, wanted] of table) {
    const { request } = await createCertificateRequest({ ...identity, names });
    const fault = servingRequestFault({ spec } as CertificateSigningRequest, parseCertificateRequest(request), {
      node: of,
      taken: ["192.0.2.1", "10.96.0.1"],
    });
    if (wanted) t.match(fault, wanted, words);
    else t.equal(fault, undefined, words);
  }
});

test("the request is approved once the node's status names its address", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  runControllers(t, { client, create: [kubeletServingApproverController] });
  const kubelet = server.as("kubelet-client").client;
  await kubelet.create(nodes, { metadata: { name: "node-1" } } as never);
  const ask = async (name: string, names: string[]) => {
    const { request } = await createCertificateRequest({ ...identity, names });
    const spec = {
      request: Buffer.from(request).toString("base64"),
      signerName: "kubernetes.io/kubelet-serving",
      usages,
    };
    await kubelet.create(certificatesigningrequests, { metadata: { name }, spec } as CertificateSigningRequest);
  };
  const apiServer = (await client.get(services, { namespace: "default", name: "kubernetes" })).spec!.clusterIP!;
  await ask("foreign", ["192.0.2.99"]);
  await ask("claimed", [apiServer]);
  await ask("own", ["192.0.2.7", "node-1"]);
  const status = { addresses: [...addresses, { type: "ExternalIP", address: apiServer }] };
  await kubelet.patch(nodes, { name: "node-1" }, { status }, { type: "merge", subresource: "status" });
  const approval = await eventually("it is approved", async () => {
    const { status } = await client.get(certificatesigningrequests, { name: "own" });
    return status?.conditions?.find(({ type }) => type === "Approved");
  });
  t.equal(approval.reason, "AutoApproved");
  for (const name of ["foreign", "claimed"]) {
    t.same((await client.get(certificatesigningrequests, { name })).status ?? {}, {}, `${name}: left to a person`);
  }
});
