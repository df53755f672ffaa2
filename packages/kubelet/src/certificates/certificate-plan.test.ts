// When certificates are rotated and what they must say, as tables over real certificates.

import { X509Certificate } from "node:crypto";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { test } from "tap";
import {
  type CertificateTemplate,
  nodeTemplate,
  rotationDeadlineMs,
  servingTemplate,
  templateFault,
} from "./certificate-plan.js";

const nowMs = Date.parse("2026-11-21T12:00:00Z");

test("a serving certificate names what the node's status names", (t) => {
  const table: [string, Parameters<typeof servingTemplate>[1], [string[], string[]] | undefined][] = [
    ["nothing is known yet", [], undefined],
    ["a name alone is not enough", [{ type: "Hostname", address: "one" }], undefined],
    [
      "names and addresses, sorted, each once",
      [
        { type: "InternalIP", address: "192.0.2.9" },
        { type: "ExternalIP", address: "192.0.2.1" },
        { type: "InternalIP", address: "192.0.2.9" },
        { type: "Hostname", address: "one" },
        { type: "InternalDNS", address: "a.example" },
      ],
      [
        ["a.example", "one"],
        ["192.0.2.1", "192.0.2.9"],
      ],
    ],
    ["a host name that is an address", [{ type: "Hostname", address: "192.0.2.3" }], [[], ["192.0.2.3"]]],
  ];
  for (const [words, addresses, wanted] of table) {
    const template = servingTemplate("one", addresses);
    t.same(template && [template.dnsNames, template.ipAddresses], wanted, words);
  }
  t.end();
});

test("a certificate does when it says all that is asked, and says what it lacks", async (t) => {
  const ca = await createCa({ commonName: "kubernetes", nowMs });
  const { cert } = await issueCertificate({
    ca,
    subject: {
      commonName: "system:node:one",
      organizations: ["system:nodes"],
      usages: ["server"],
      names: ["one", "192.0.2.9"],
    },
    nowMs,
  });
  const leaf = new X509Certificate(cert);
  const base = nodeTemplate("one");
  const table: [Partial<CertificateTemplate>, string | undefined][] = [
    [{}, undefined],
    [{ dnsNames: ["one"], ipAddresses: ["192.0.2.9"] }, undefined],
    [{ dnsNames: ["one", "two"] }, "Current certificate is missing requested DNS names [two]"],
    [{ ipAddresses: ["192.0.2.1"] }, "Current certificate is missing requested IP addresses [192.0.2.1]"],
    [{ organizations: ["system:masters"] }, "Current certificate is missing requested orgs [system:masters]"],
    [
      { commonName: "system:node:two" },
      "Current certificate CN (system:node:one) does not match requested CN (system:node:two)",
    ],
  ];
  for (const [part, wanted] of table) t.equal(templateFault(leaf, { ...base, ...part }), wanted);

  const lifeMs = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
  const share = (random: number) =>
    Math.round(((rotationDeadlineMs(leaf, () => random) - Date.parse(leaf.validFrom)) / lifeMs) * 100);
  t.same([share(0), share(0.5), share(1)], [70, 80, 90], "between 70 and 90 % of its life");
});
