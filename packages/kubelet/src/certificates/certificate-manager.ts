// Keeps one certificate of the kubelet's fresh: asks for it when there is none, when its time nears its end, and when what
// it must say has changed (upstream: client-go's certificate_manager.go). Judges no request; the store holds the files.

import type { Client } from "@picokube/client/client";
import { exponential } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { type CertificateTemplate, rotationDeadlineMs, sameTemplate, templateFault } from "./certificate-plan.js";
import type { CertificateStore, StoredCertificate } from "./certificate-store.js";
import { submitRequest, waitForCertificate } from "./request-certificate.js";

export interface CertificateManagerOptions {
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly store: CertificateStore;
  readonly client: Client;
  /** What the certificate must say now; undefined while that is not known yet. */
  template(): CertificateTemplate | undefined;
  /** Told of every try that brought nothing, and of how long the replaced certificate lived. */
  readonly onRenewError?: () => void;
  readonly onRotation?: (lifeSeconds: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

export interface CertificateManager {
  /** The certificate in use; undefined while there is none or once it has expired. */
  current(): StoredCertificate | undefined;
  /** Calls back with each new one. */
  onUpdate(listener: (certificate: StoredCertificate) => void): void;
  /** Resolves when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const templatePollMs = 1_000;
const certificateWaitMs = 15 * 60 * 1000;
/** Upstream's back-off between tries: 2 s, four times doubled, then 32 s for ever. */
const retry = { initialMs: 2_000, maxMs: 32_000, jitter: 0.1 };

/** Reads what the store has; asks nobody before run. */
export function createCertificateManager(options: CertificateManagerOptions): CertificateManager {
  const { signerName, store, clock, logger, random = Math.random } = options;
  const listeners: ((certificate: StoredCertificate) => void)[] = [];
  let held = store.current();

  const expiryMs = (certificate: StoredCertificate) => Date.parse(certificate.leaf.validTo);
  const isStale = () => {
    const template = options.template();
    return template !== undefined && held !== undefined && templateFault(held.leaf, template) !== undefined;
  };

  function deadlineMs(): number {
    if (held === undefined || expiryMs(held) <= clock.now() || isStale()) return clock.now();
    const deadline = rotationDeadlineMs(held.leaf, random);
    logger.v(2).info("Waiting for the next certificate rotation", {
      signer: signerName,
      expiration: held.leaf.validTo,
      deadline: new Date(deadline).toISOString(),
    });
    return deadline;
  }

  async function untilDue(signal: AbortSignal): Promise<void> {
    const dueMs = deadlineMs();
    while (clock.now() < dueMs && !isStale()) await clock.sleep(templatePollMs, signal);
  }

  /** Aborts once the template is no longer the one asked for. */
  async function whileWanted(template: CertificateTemplate, signal: AbortSignal): Promise<void> {
    while (sameTemplate(template, options.template())) await clock.sleep(templatePollMs, signal);
  }

  async function rotate(template: CertificateTemplate, signal: AbortSignal): Promise<void> {
    logger.v(2).info("Rotating certificates", { signer: signerName });
    // The x509 library is large and only needed now.
    const { createCertificateRequest } = await import("@picokube/pki/certificate-request");
    const { commonName, organizations, dnsNames, ipAddresses } = template;
    const { request, key } = await createCertificateRequest({
      commonName,
      organizations,
      names: [...dnsNames, ...ipAddresses],
    });
    const order = { ...options, request };
    const submitted = await submitRequest(order, signal);
    const waiting = new AbortController();
    const stop = () => waiting.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const watchers = [
      clock.sleep(certificateWaitMs, waiting.signal).then(() => new Error("timed out waiting for the condition")),
      whileWanted(template, waiting.signal).then(() => new Error("the certificate template changed")),
    ];
    for (const watcher of watchers) watcher.then((why) => waiting.abort(why)).catch(() => undefined);
    try {
      const cert = await waitForCertificate(order, submitted, waiting.signal);
      take(store.update({ cert, key, nowMs: clock.now() }));
    } catch (error) {
      const why = waiting.signal.aborted ? (waiting.signal.reason as Error) : (error as Error);
      throw new Error(`certificate request was not signed: ${why.message}`, { cause: error });
    } finally {
      signal.removeEventListener("abort", stop);
      waiting.abort();
    }
  }

  function take(fresh: StoredCertificate): void {
    const old = held;
    held = fresh;
    if (old) options.onRotation?.((clock.now() - Date.parse(old.leaf.validFrom)) / 1000);
    logger.info("Certificate is issued", { signer: signerName, expiration: fresh.leaf.validTo });
    for (const listener of listeners) listener(fresh);
  }

  async function rotateUntilDone(signal: AbortSignal): Promise<void> {
    const backoff = exponential({ ...retry, random });
    for (;;) {
      const template = options.template();
      try {
        if (template) return await rotate(template, signal);
      } catch (err) {
        if (signal.aborted) return;
        options.onRenewError?.();
        logger.error("Unable to rotate the certificate, will retry", { signer: signerName, err });
      }
      await clock.sleep(template ? backoff.next() : templatePollMs, signal);
    }
  }

  return {
    current: () => (held && expiryMs(held) > clock.now() ? held : undefined),
    onUpdate: (listener) => void listeners.push(listener),
    async run(signal) {
      try {
        while (!signal.aborted) {
          await untilDue(signal);
          await rotateUntilDone(signal);
          await clock.sleep(templatePollMs, signal);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}
