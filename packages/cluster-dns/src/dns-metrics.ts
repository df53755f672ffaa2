// What cluster-dns counts, under CoreDNS's names, so that dashboards made for it show this server too. Answers nothing.

import type { Metrics } from "@picokube/component-base/metrics";
import type { ForwardEvents, Forwarder } from "./forwarder.js";
import { rcodes } from "./query.js";
import { typeName } from "./record-types.js";
import type { AnswerFacts } from "./server.js";
import { type CounterSeries, counterFamily, type HistogramSeries, histogramFamily } from "./tallies.js";

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

// Found once for each zone, and by transport, type and rcode below it: building keys out of them cost more than answering.
interface ZoneSeries {
  readonly duration: HistogramSeries;
  readonly withDo: CounterSeries;
  readonly rcodes: Map<number, CounterSeries>;
  readonly transports: Map<string, TransportSeries>;
}

interface TransportSeries {
  readonly requestSize: HistogramSeries;
  readonly responseSize: HistogramSeries;
  readonly types: Map<string, CounterSeries>;
}

function found<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** server: where this server listens, "dns://10.0.0.1:53". */
export function createDnsMetrics(metrics: Metrics, server: string, forwarder: () => Forwarder | undefined): DnsMetrics {
  const view = "";
  const requests = counterFamily(metrics, {
    name: "coredns_dns_requests_total",
    help: "Counter of DNS requests made per zone, protocol and family.",
  });
  const durations = histogramFamily(metrics, {
    name: "coredns_dns_request_duration_seconds",
    help: "Histogram of the time (in seconds) each request took per zone.",
    buckets: secondsBuckets,
  });
  const requestSizes = histogramFamily(metrics, {
    name: "coredns_dns_request_size_bytes",
    help: "Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.",
    buckets: sizeBuckets,
  });
  const withDo = counterFamily(metrics, {
    name: "coredns_dns_do_requests_total",
    help: "Counter of DNS requests with DO bit set per zone.",
  });
  const responseSizes = histogramFamily(metrics, {
    name: "coredns_dns_response_size_bytes",
    help: "Size of the returned response in bytes.",
    buckets: sizeBuckets,
  });
  const responses = counterFamily(metrics, {
    name: "coredns_dns_responses_total",
    help: "Counter of response status codes.",
  });
  const zones = new Map<string, ZoneSeries>();
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
  const cacheRequests = counterFamily(metrics, {
    name: "coredns_cache_requests_total",
    help: "The count of cache requests.",
  })({ server, zones: "." });
  const cacheHits = counterFamily(metrics, {
    name: "coredns_cache_hits_total",
    help: "The count of cache hits.",
  });
  const cacheMisses = counterFamily(metrics, {
    name: "coredns_cache_misses_total",
    help: "The count of cache misses. Deprecated, derive misses from cache hits/requests counters.",
  });
  const cached = {
    success: cacheHits({ server, type: "success", zones: "." }),
    denial: cacheHits({ server, type: "denial", zones: "." }),
    miss: cacheMisses({ server, zones: "." }),
  };
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
    onAnswer({ outcome, transport: proto, isIpv6, requestBytes, durationMs }) {
      const { query, zone, rcode, response } = outcome;
      const ofZone = { server, zone, view };
      const series = found(zones, zone, () => ({
        duration: durations(ofZone),
        withDo: withDo(ofZone),
        rcodes: new Map(),
        transports: new Map(),
      }));
      const ofTransport = found(series.transports, proto, () => ({
        requestSize: requestSizes({ ...ofZone, proto }),
        responseSize: responseSizes({ ...ofZone, proto }),
        types: new Map(),
      }));
      series.duration.observe(durationMs / 1000);
      ofTransport.requestSize.observe(requestBytes);
      ofTransport.responseSize.observe(response.length);
      if (query?.edns?.dnssecOk) series.withDo.inc();
      const type = query ? typeName(query.type) : "other";
      const family = isIpv6 ? "2" : "1";
      found(ofTransport.types, type, () => requests({ ...ofZone, proto, family, type })).inc();
      found(series.rcodes, rcode, () => {
        const plugin = zone === "." ? "forward" : query ? "kubernetes" : "";
        return responses({ ...ofZone, rcode: rcodeName(rcode), plugin });
      }).inc();
    },
    forwardEvents: {
      onCache(result) {
        cacheRequests.inc();
        cached[result].inc();
      },
      onExchange: ({ to, rcode, durationMs }) =>
        exchanges.observe({ proxy_name: "forward", to, rcode: rcodeName(rcode) }, durationMs / 1000),
      onHealthCheckFailure: (to) => healthCheckFailures.inc({ proxy_name: "forward", to }),
      onBroken: () => broken.inc(),
      onReject: () => rejects.inc(),
    },
  };
}
