// The figures of the kubelet's certificates under upstream's names (kubelet/certificate/kubelet.go, kubelet.go). Read when
// somebody asks.

import type { Clock } from "@picokube/component-base/clock";
import type { Metrics } from "@picokube/component-base/metrics";
import type { StoredCertificate } from "./certificate-store.js";

type Current = () => StoredCertificate | undefined;

const lifeBuckets = [60, 3_600, 14_400, 86_400, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000, 124_416_000];

function ttlSeconds(current: Current, clock: Clock): number {
  const certificate = current();
  return certificate === undefined
    ? Number.POSITIVE_INFINITY
    : Math.trunc((Date.parse(certificate.leaf.validTo) - clock.now()) / 1000);
}

/** Of the client certificate; returns what counts its failures. */
export function clientCertificateMetrics(
  metrics: Metrics,
  { current, clock }: { current: Current; clock: Clock },
): { onRenewError: () => void } {
  metrics.gauge({
    name: "kubelet_certificate_manager_client_ttl_seconds",
    help: "Gauge of the TTL (time-to-live) of the Kubelet's client certificate. The value is in seconds until certificate expiry (negative if already expired). If client certificate is invalid or unused, the value will be +INF.",
    collect: (gauge) => gauge.set(ttlSeconds(current, clock)),
  });
  const errors = metrics.counter({
    name: "kubelet_certificate_manager_client_expiration_renew_errors",
    help: "Counter of certificate renewal errors.",
  });
  return { onRenewError: () => errors.inc() };
}

/** Of the serving certificate; returns what counts its failures and its rotations. */
export function servingCertificateMetrics(
  metrics: Metrics,
  { current, clock }: { current: Current; clock: Clock },
): { onRenewError: () => void; onRotation: (lifeSeconds: number) => void } {
  metrics.gauge({
    name: "kubelet_certificate_manager_server_ttl_seconds",
    help: "Gauge of the shortest TTL (time-to-live) of the Kubelet's serving certificate. The value is in seconds until certificate expiry (negative if already expired). If serving certificate is invalid or unused, the value will be +INF.",
    collect: (gauge) => gauge.set(ttlSeconds(current, clock)),
  });
  const errors = metrics.counter({
    name: "kubelet_server_expiration_renew_errors",
    help: "Counter of certificate renewal errors.",
  });
  const lives = metrics.histogram({
    name: "kubelet_certificate_manager_server_rotation_seconds",
    help: "Histogram of the number of seconds the previous certificate lived before being rotated.",
    buckets: lifeBuckets,
  });
  return { onRenewError: () => errors.inc(), onRotation: (seconds) => lives.observe(seconds) };
}
