import { X509Certificate } from "node:crypto";
import { test } from "tap";
import { createCa } from "./ca.js";
import { createCertificateRequest, parseCertificateRequest, signCertificateRequest } from "./certificate-request.js";

const nowMs = Date.parse("2026-11-21T12:00:00Z");
const HOUR_MS = 60 * 60 * 1000;
const YEAR_MS = 365 * 24 * HOUR_MS;

test("a request says what it asks for, its certificate grants it", async (t) => {
  const ca = await createCa({ commonName: "kubernetes", nowMs });
  const { request } = await createCertificateRequest({
    commonName: "system:node:one",
    organizations: ["system:nodes"],
    names: ["one", "192.0.2.7", "2001:db8::1"],
  });
  const { isSignatureValid, ...asked } = parseCertificateRequest(request);
  t.ok(await isSignatureValid());
  t.same(asked, {
    commonName: "system:node:one",
    organizations: ["system:nodes"],
    dnsNames: ["one"],
    ipAddresses: ["192.0.2.7", "2001:db8::1"],
    emailAddresses: [],
    uris: [],
  });
  const usages = ["digital signature", "server auth"];
  const sign = (lifetimeMs: number) => signCertificateRequest({ request, ca, usages, lifetimeMs, nowMs });
  const certificate = new X509Certificate(await sign(YEAR_MS));
  t.equal(certificate.subject, "O=system:nodes\nCN=system:node:one");
  t.equal(certificate.checkHost("one"), "one");
  t.equal(certificate.checkIP("192.0.2.7"), "192.0.2.7");
  t.same(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  t.equal(certificate.ca, false);
  t.ok(certificate.verify(new X509Certificate(ca.cert).publicKey));
  t.equal(Date.parse(certificate.validFrom), nowMs - 5 * 60 * 1000);
  t.equal(Date.parse(certificate.validTo), nowMs - 5 * 60 * 1000 + YEAR_MS, "a long life includes the backdating");
  t.equal(Date.parse(new X509Certificate(await sign(HOUR_MS)).validTo), nowMs + HOUR_MS, "a short one does not");
  const late = new X509Certificate(await sign(100 * YEAR_MS));
  t.equal(late.validTo, new X509Certificate(ca.cert).validTo, "none outlives the CA");
});

test("what is refused", async (t) => {
  const ca = await createCa({ commonName: "kubernetes", nowMs });
  const { request } = await createCertificateRequest({ commonName: "vera" });
  const der = Buffer.from(request.replace(/-----.*-----|\s/g, ""), "base64");
  der[der.length - 1]! ^= 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  const sign = (pem: string, usages: string[]) =>
    signCertificateRequest({ request: pem, ca, usages, lifetimeMs: HOUR_MS, nowMs });
  await t.rejects(sign(forged, ["client auth"]), { message: "unable to verify certificate request signature" });
  await t.rejects(sign(request, ["magic"]), { message: 'unrecognized usage values: ["magic"]' });
  t.throws(() => parseCertificateRequest("nonsense"));
});
