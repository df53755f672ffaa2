import { createSocket } from "node:dgram";
import { once } from "node:events";
import { services } from "@picokube/api/core/v1";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { ip } from "./ip-command.testing.js";
import { inNetworkNamespace } from "./network-namespace.testing.js";
import {
  bridgeIp,
  http,
  impatient,
  metricsOf,
  namesOf,
  refused,
  ruled,
  run,
  silence,
} from "./packet-stories.testing.js";
import {
  type Answer,
  nodeIp,
  outsideIp,
  type ProxiedNode,
  pods,
  podsIpv6,
  startProxiedNode,
} from "./proxied-node.testing.js";

const nat = () => run("iptables-save", "-t", "nat");

inNetworkNamespace(import.meta.url, (namespace) => {
  test("packets reach the right pod with the right source address", async (t: Test) => {
    const node = await startProxiedNode(t, namespace);
    t.teardown(() => {
      if (!t.passing()) t.comment(node.log());
    });
    run("iptables", "-N", "MINE");
    run("iptables", "-A", "FORWARD", "-j", "MINE");
    node.startProxy("--cluster-cidr=10.244.0.0/16,fd00:10:244::/64");
    await eventually("the first sync", async () => nat().includes("KUBE-MARK-MASQ"));
    await stories(t, node);
  });

  async function stories(t: Test, node: ProxiedNode): Promise<void> {
    const { ask } = node;

    await t.test("F1 F2 a cluster IP, from a pod, from the node, and from the pod itself (hairpin)", async (t) => {
      const { clusterIP } = await node.service("web", { ports: http() });
      await ruled("web", "has no endpoints");
      await t.rejects(ask("a", `http://${clusterIP}`), refused, "refused, not dropped");
      await node.endpoints("web", { b: {} });
      await ruled("web", "->");
      t.strictSame(await ask("a", `http://${clusterIP}`), { name: "b", source: pods.a }, "a pod keeps its address");
      t.strictSame(await ask("node", `http://${clusterIP}`), { name: "b", source: bridgeIp });
      t.strictSame(await ask("b", `http://${clusterIP}`), { name: "b", source: bridgeIp }, "to itself, masqueraded");
      await node.endpoints("web", { a: {}, b: {}, c: {} });
      await eventually(
        "all three answer",
        async () => (await namesOf(20, () => ask("a", `http://${clusterIP}`))) === "abc",
      );
    });

    await t.test("F1 session affinity: one client meets one pod", async (t) => {
      const { clusterIP } = await node.service("sticky", { ports: http(), sessionAffinity: "ClientIP" });
      await node.endpoints("sticky", { a: {}, b: {}, c: {} });
      await ruled("sticky", "-> 10.244.0.13");
      t.equal((await namesOf(15, () => ask("node", `http://${clusterIP}`))).length, 1);
    });

    await t.test(
      "F1 a node port: masqueraded under the Cluster policy, the client's address under Local",
      async (t) => {
        const { nodePort } = await node.service("port", { type: "NodePort", ports: http() });
        await node.endpoints("port", { a: {}, b: { node: "node-2" } });
        const url = `http://${nodeIp}:${nodePort}`;
        await eventually("both answer", async () => (await namesOf(15, () => ask("outside", url))) === "ab");
        t.equal((await ask("outside", url)).source, bridgeIp);
        const counter = "kubeproxy_iptables_localhost_nodeports_accepted_packets_total";
        const before = (await metricsOf())[counter]!;
        t.equal((await ask("node", `http://127.0.0.1:${nodePort}`)).source, bridgeIp, "on localhost too");
        t.ok((await metricsOf())[counter]! > before, "which is counted");

        const local = await node.service("local", { type: "NodePort", ports: http(), externalTrafficPolicy: "Local" });
        await node.endpoints("local", { a: {}, b: { node: "node-2" } });
        const localUrl = `http://${nodeIp}:${local.nodePort}`;
        await ruled("local", "-> 10.244.0.12");
        for (let i = 0; i < 10; i++) t.strictSame(await ask("outside", localUrl), { name: "a", source: outsideIp });
        t.equal(await namesOf(15, () => ask("c", localUrl)), "ab", "from a pod it is as if through a balancer");
        await node.endpoints("local", { b: { node: "node-2" } });
        await ruled("local", "has no local endpoints");
        await t.rejects(ask("outside", localUrl, ...impatient), silence, "dropped");
        t.equal((await ask("node", localUrl)).name, "b");
      },
    );

    await t.test("F1 internalTrafficPolicy Local", async (t) => {
      const { clusterIP } = await node.service("inner", { ports: http(), internalTrafficPolicy: "Local" });
      await node.endpoints("inner", { a: {}, b: { node: "node-2" } });
      await ruled("inner", "-> 10.244.0.11");
      t.equal(await namesOf(10, () => ask("c", `http://${clusterIP}`)), "a");
    });

    await t.test("F1 external IPs and a load balancer's, with source ranges and a health check", async (t) => {
      await node.service("external", { ports: http(), externalIPs: ["198.51.100.7"] });
      await node.endpoints("external", { a: {} });
      await ruled("external", "external IP");
      t.strictSame(await ask("outside", "http://198.51.100.7"), { name: "a", source: bridgeIp });

      const balancer = {
        type: "LoadBalancer",
        ports: http(),
        externalTrafficPolicy: "Local",
        healthCheckNodePort: 31_999,
      };
      await node.service("lb", { ...balancer, loadBalancerSourceRanges: [`${outsideIp}/32`] }, [
        { ip: "198.51.100.9" },
      ]);
      await node.endpoints("lb", { a: {}, b: { node: "node-2" } });
      await ruled("lb", "loadbalancer IP");
      await eventually("the balancer's address answers", () => ask("outside", "http://198.51.100.9"));
      t.strictSame(await ask("outside", "http://198.51.100.9"), { name: "a", source: outsideIp });
      await t.rejects(
        ask("outside", "http://198.51.100.9", "--interface", "192.0.2.200", ...impatient),
        silence,
        "a source out of the ranges is dropped",
      );
      const health = () => ask("outside", `http://${nodeIp}:31999/`) as unknown as Promise<object>;
      await eventually("the health check counts", async () => {
        const wanted = { service: { namespace: "default", name: "lb" }, localEndpoints: 1, serviceProxyHealthy: true };
        return JSON.stringify(await health()) === JSON.stringify(wanted);
      });

      await node.service("proxied", { type: "LoadBalancer", ports: http() }, [
        { ip: "198.51.100.10", ipMode: "Proxy" },
      ]);
      await node.endpoints("proxied", { a: {} });
      await ruled("proxied", "->");
      t.notMatch(nat(), "198.51.100.10", "a balancer in Proxy mode is not short-cut");
    });

    await t.test("F1 an endpoint that terminates serves while no other is ready; hints keep to the zone", async (t) => {
      const { clusterIP } = await node.service("ends", { ports: http() });
      await node.endpoints("ends", { a: { state: "terminating" } });
      await eventually("the last one answers", async () => (await ask("b", `http://${clusterIP}`)).name === "a");
      await node.endpoints("ends", { a: { state: "terminating" }, b: {} });
      await eventually("not any more", async () => (await namesOf(10, () => ask("c", `http://${clusterIP}`))) === "b");

      const near = await node.service("near", { ports: http(), trafficDistribution: "PreferClose" });
      await node.endpoints("near", { a: { zone: "here" }, b: { zone: "there" } });
      await ruled("near", "->");
      t.equal(await namesOf(10, () => ask("c", `http://${near.clusterIP}`)), "a");
    });

    await t.test("F1 UDP: a flow is balanced anew when its endpoint goes", async (t) => {
      const { clusterIP } = await node.service("udp", { ports: http("UDP") });
      await node.endpoints("udp", { a: {} }, { protocol: "UDP" });
      await ruled("udp", "->");
      const socket = createSocket("udp4");
      t.teardown(() => socket.close());
      // One source port: without a clean connection table the old endpoint, which still runs, would go on answering.
      const say = async () => {
        socket.send("who?", 80, clusterIP);
        const [message] = (await once(socket, "message", { signal: AbortSignal.timeout(2_000) })) as [Buffer];
        return (JSON.parse(message.toString()) as Answer).name;
      };
      await eventually("the first answers", async () => (await say()) === "a");
      await node.endpoints("udp", { b: {} }, { protocol: "UDP" });
      await eventually("the second answers", async () => (await say()) === "b");
      await eventually("the metrics tell of it", async () => {
        const deleted = 'kubeproxy_conntrack_reconciler_deleted_entries_total{ip_family="IPv4"}';
        return (await metricsOf())[deleted]! > 0;
      });
    });

    await t.test("F1 a dual-stack Service: each family has endpoints and rules of its own", async (t) => {
      const spec = { type: "NodePort", ports: http(), ipFamilyPolicy: "RequireDualStack" };
      const { clusterIPs, nodePort } = await node.service("dual", spec);
      const [ipv4, ipv6] = clusterIPs as [string, string];
      await node.endpoints("dual", { a: {} });
      await node.endpoints("dual", { b: {} }, { family: "IPv6" });
      await ruled("dual", "->");
      t.strictSame(await ask("c", `http://${ipv4}`), { name: "a", source: pods.c });
      await eventually("IPv6 rules", async () => run("ip6tables-save").includes("default/dual ->"));
      t.strictSame(await ask("c", `http://[${ipv6}]`), { name: "b", source: podsIpv6.c });
      t.strictSame(await ask("b", `http://[${ipv6}]`), { name: "b", source: "fd00:10:244::1" }, "hairpin");
      t.strictSame(await ask("c", `http://[fd00:10:244::1]:${nodePort}`), { name: "b", source: "fd00:10:244::1" });
    });

    await t.test("F1 Services of another proxy, headless and external ones have no rules", async (t) => {
      const label = { "service.kubernetes.io/service-proxy-name": "other" };
      const made = await node.client.create(services, {
        metadata: { name: "others", namespace: "default", labels: label },
        spec: { ports: http() },
      } as never);
      await node.service("headless", { ports: http(), clusterIP: "None" });
      await node.service("elsewhere", { type: "ExternalName", externalName: "example.org" });
      await node.service("after", { ports: http() });
      await ruled("after");
      t.notMatch(run("iptables-save"), new RegExp(`default/(others|headless|elsewhere)|${made.spec!.clusterIP}/`));
    });

    await t.test("F1 one change is a small write, and the metrics say so", async (t) => {
      const family = 'ip_family="IPv4"';
      const before = await metricsOf();
      await node.endpoints("web", { a: {} });
      const key = `kubeproxy_sync_partial_proxy_rules_duration_seconds_count{${family}}`;
      await eventually("a partial sync", async () => (await metricsOf())[key]! > before[key]!);
      await eventually("few rules written of many", async () => {
        const now = await metricsOf();
        const last = now[`kubeproxy_sync_proxy_rules_iptables_last{table="nat",${family}}`]!;
        return last > 0 && last <= 4 && now[`kubeproxy_sync_proxy_rules_iptables_total{table="nat",${family}}`]! > 40;
      });
      const now = await metricsOf();
      t.ok(now[`kubeproxy_network_programming_duration_seconds_count{${family}}`]! > 0);
      t.ok(now[`kubeproxy_sync_full_proxy_rules_duration_seconds_count{${family}}`]! >= 1);
      t.equal(now[`kubeproxy_sync_proxy_rules_iptables_restore_failures_total{${family}}`] ?? 0, 0);
      t.equal(now[`kubeproxy_sync_proxy_rules_no_local_endpoints_total{traffic_policy="external",${family}}`], 1);
    });

    await t.test(
      "F1 what somebody flushes comes back, what is others' stays, --cleanup takes ours alone",
      async (t) => {
        const whole = (text: string) =>
          text
            .replace(/^#.*\n|\[\d+:\d+\]/gm, "")
            .split("\n")
            .sort();
        const before = whole(nat());
        for (const flush of [
          () => {
            run("iptables", "-t", "nat", "-F");
            run("iptables", "-F");
          },
          () => {
            run("iptables", "-t", "nat", "-F");
            run("iptables", "-t", "nat", "-X");
          },
        ]) {
          flush();
          await eventually("all rules are back", async () => whole(nat()).join() === before.join());
          await eventually("the jumps too", async () => run("iptables-save").includes("-j KUBE-FORWARD"));
        }
        t.match(node.log(), "iptables canary deleted, resyncing all rules");
        await node.stopProxy();
        t.match(nat(), "KUBE-SERVICES", "Services go on without their proxy");

        // A process that starts anew takes over what is there, and removes what went meanwhile.
        await node.client.delete(services, { namespace: "default", name: "near" });
        node.startProxy("--cluster-cidr=10.244.0.0/16,fd00:10:244::/64");
        await eventually("stale chains are removed", async () => !nat().includes("default/near"));
        await node.stopProxy();

        run("iptables", "-A", "FORWARD", "-j", "MINE");
        await node.proxyCommand("--cleanup");
        const after = run("iptables-save") + run("ip6tables-save");
        t.notMatch(after, "KUBE-");
        t.match(after, "-A FORWARD -j MINE");
        t.match(ip("addr"), nodeIp);
      },
    );
  }
});
