// What cluster-dns counts, under CoreDNS's names, so that dashboards made for it show this server too. Answers nothing.

import type { Metrics } from "@picokube/component-base/metrics";
import type { ForwardEvents, Forwarder } from "./forwarder.js";
import { rcodes } from "./query.js";
import { typeName } from "./record-types.js";
import type { AnswerFacts } from "./server.js";

export interface DnsMetrics {
  readonly forwardEvents: ForwardEvents;
  onAnswer(facts: AnswerFacts): void;
}

const secondsBuckets = Array.from({ length: 16 }, (_, i) => 0.000_25 * 2 ** i);
const sizeBuckets = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];
const rcodeNames = new Map<number, string>([
  [rcodes.noError, "NOERROR"],
  [rcodes.formatError, "FORMERR"],
  [rcodes.serverFailure, "SERVFAIL"],
  [rcodes.nameError, "NXDOMAIN"],
  [rcodes.notImplemented, "NOTIMP"],
  [rcodes.refused, "REFUSED"],
  [rcodes.badVersion, "BADVERS"],
]);

/** "NXDOMAIN" for 3; the number for what has no name here. */
export function rcodeName(rcode: number): string {
  return rcodeNames.get(rcode) ?? String(rcode);
}

/** server: where this server listens, "dns://10.0.0.1:53". */
export function createDnsMetrics(metrics: Metrics, server: string, forwarder: () => Forwarder | undefined): DnsMetrics {
  const view = "";
  const requests = metrics.counter({
    name: "coredns_dns_requests_total",
    help: "Counter of DNS requests made per zone, protocol and family.",
    labels: ["server", "zone", "view", "proto", "family", "type"],
  });
  const durations = metrics.histogram({
    name: "coredns_dns_request_duration_seconds",
    help: "Histogram of the time (in seconds) each request took per zone.",
    labels: ["server", "zone", "view"],
    buckets: secondsBuckets,
  });
  const requestSizes = metrics.histogram({
    name: "coredns_dns_request_size_bytes",
    help: "Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.",
    labels: ["server", "zone", "view", "proto"],
    buckets: sizeBuckets,
  });
  const withDo = metrics.counter({
    name: "coredns_dns_do_requests_total",
    help: "Counter of DNS requests with DO bit set per zone.",
    labels: ["server", "zone", "view"],
  });
  const responseSizes = metrics.histogram({
    name: "coredns_dns_response_size_bytes",
    help: "Size of the returned response in bytes.",
    labels: ["server", "zone", "view", "proto"],
    buckets: sizeBuckets,
  });
  const responses = metrics.counter({
    name: "coredns_dns_responses_total",
    help: "Counter of response status codes.",
    labels: ["server", "zone", "view", "rcode", "plugin"],
  });
  metrics.gauge({
    name: "coredns_cache_entries",
    help: "The number of elements in the cache.",
    labels: ["server", "type", "zones"],
    collect(gauge) {
      const size = forwarder()?.size();
      gauge.set({ server, type: "success", zones: "." }, size?.success ?? 0);
      gauge.set({ server, type: "denial", zones: "." }, size?.denial ?? 0);
    },
  });
  const cacheRequests = metrics.counter({
    name: "coredns_cache_requests_total",
    help: "The count of cache requests.",
    labels: ["server", "zones"],
  });
  const cacheHits = metrics.counter({
    name: "coredns_cache_hits_total",
    help: "The count of cache hits.",
    labels: ["server", "type", "zones"],
  });
  const cacheMisses = metrics.counter({
    name: "coredns_cache_misses_total",
    help: "The count of cache misses. Deprecated, derive misses from cache hits/requests counters.",
    labels: ["server", "zones"],
  });
  const exchanges = metrics.histogram({
    name: "coredns_proxy_request_duration_seconds",
    help: "Histogram of the time each request took.",
    labels: ["proxy_name", "to", "rcode"],
    buckets: secondsBuckets,
  });
  const healthCheckFailures = metrics.counter({
    name: "coredns_proxy_healthcheck_failures_total",
    help: "Counter of the number of failed healthchecks.",
    labels: ["proxy_name", "to"],
  });
  const broken = metrics.counter({
    name: "coredns_forward_healthcheck_broken_total",
    help: "Counter of the number of complete failures of the healthchecks.",
  });
  const rejects = metrics.counter({
    name: "coredns_forward_max_concurrent_rejects_total",
    help: "Counter of the number of queries rejected because the concurrent queries were at maximum.",
  });

  return {
    onAnswer({ query, zone, rcode, transport: proto, isIpv6, requestBytes, response, durationMs }) {
      const ofZone = { server, zone, view };
      requests.inc({ ...ofZone, proto, family: isIpv6 ? "2" : "1", type: query ? typeName(query.type) : "other" });
      durations.observe(ofZone, durationMs / 1000);
      requestSizes.observe({ ...ofZone, proto }, requestBytes);
      responseSizes.observe({ ...ofZone, proto }, response.length);
      if (query?.edns?.dnssecOk) withDo.inc(ofZone);
      const plugin = zone === "." ? "forward" : query ? "kubernetes" : "";
      responses.inc({ ...ofZone, rcode: rcodeName(rcode), plugin });
    },
    forwardEvents: {
      onCache(result) {
        cacheRequests.inc({ server, zones: "." });
        if (result === "miss") cacheMisses.inc({ server, zones: "." });
        else cacheHits.inc({ server, type: result, zones: "." });
      },
      onExchange: ({ to, rcode, durationMs }) =>
        exchanges.observe({ proxy_name: "forward", to, rcode: rcodeName(rcode) }, durationMs / 1000),
      onHealthCheckFailure: (to) => healthCheckFailures.inc({ proxy_name: "forward", to }),
      onBroken: () => broken.inc(),
      onReject: () => rejects.inc(),
    },
  };
}
