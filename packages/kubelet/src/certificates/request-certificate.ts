// One CertificateSigningRequest: made, and waited for until it is signed, denied or failed (upstream: client-go's
// util/certificate/csr). Keeps nothing on disk.

import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { isAlreadyExists, isForbidden, isNotFound, isUnauthorized } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";

export interface CertificateOrder {
  readonly client: Client;
  /** PKCS #10, PEM. */
  readonly request: string;
  readonly signerName: string;
  /** Our keys are elliptic: upstream leaves key encipherment to RSA. */
  readonly usages: readonly string[];
  /** One of the server's choosing, csr-..., when left out. */
  readonly name?: string;
  readonly clock: Clock;
}

const watchSeconds = 300;
const retryMs = 1_000;

/** Creates the request; one of that name that is there already, from an earlier life of this process, is taken as it is. */
export async function submitRequest(
  { client, request, signerName, usages, name }: CertificateOrder,
  signal: AbortSignal,
): Promise<{ name: string; uid: string }> {
  const csr = {
    metadata: name === undefined ? { generateName: "csr-" } : { name },
    spec: { request: Buffer.from(request).toString("base64"), signerName, usages: [...usages] },
  } as unknown as CertificateSigningRequest;
  try {
    const { metadata } = await client.create(certificatesigningrequests, csr, { signal });
    return { name: metadata.name, uid: metadata.uid };
  } catch (error) {
    if (name === undefined || !isAlreadyExists(error))
      throw new Error(`cannot create certificate signing request: ${(error as Error).message}`, { cause: error });
    const found = await client.get(certificatesigningrequests, { name }, { signal });
    if (found.spec.signerName !== signerName)
      throw new Error(`retrieved csr is not compatible: signerName is ${found.spec.signerName}, not ${signerName}`);
    return { name, uid: found.metadata.uid };
  }
}

/** The signed certificate (PEM). Throws when it is denied, fails or is gone, and with the signal's reason. */
export async function waitForCertificate(
  { client, clock }: Pick<CertificateOrder, "client" | "clock">,
  { name, uid }: { name: string; uid: string },
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const csr = await client.get(certificatesigningrequests, { name }, { signal });
      const issued = issuedCertificate(csr, uid) ?? (await watchedCertificate(client, csr, signal));
      if (issued !== undefined) return issued;
    } catch (error) {
      // A server that is away for a moment, or a watch that broke, is asked again; a no is a no.
      const isFinal = error instanceof Refused || isNotFound(error) || isForbidden(error) || isUnauthorized(error);
      if (isFinal || signal.aborted) throw error;
    }
    await clock.sleep(retryMs, signal);
  }
}

class Refused extends Error {}

/** Undefined when the watch ends before there is a certificate. */
async function watchedCertificate(
  client: Client,
  { metadata }: CertificateSigningRequest,
  signal: AbortSignal,
): Promise<string | undefined> {
  const events = client.watch(certificatesigningrequests, {
    fieldSelector: `metadata.name=${metadata.name}`,
    ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
    timeoutSeconds: watchSeconds,
    signal,
  });
  for await (const { type, object } of events) {
    if (type === "BOOKMARK") continue;
    if (type === "DELETED") throw new Refused(`csr "${metadata.name}" was deleted`);
    const issued = issuedCertificate(object, metadata.uid);
    if (issued !== undefined) return issued;
  }
  return undefined;
}

function issuedCertificate({ metadata, status }: CertificateSigningRequest, uid: string): string | undefined {
  if (metadata.uid !== uid) throw new Refused(`csr "${metadata.name}" changed UIDs`);
  for (const [type, words] of [
    ["Denied", "is denied"],
    ["Failed", "failed"],
  ]) {
    const found = status?.conditions?.find((condition) => condition.type === type);
    if (found)
      throw new Refused(
        `certificate signing request ${words}, reason: ${JSON.stringify(found.reason ?? "")}, message: ${JSON.stringify(found.message ?? "")}`,
      );
  }
  const isApproved = status?.conditions?.some(({ type }) => type === "Approved") === true;
  return isApproved && status?.certificate ? Buffer.from(status.certificate, "base64").toString("utf8") : undefined;
}
