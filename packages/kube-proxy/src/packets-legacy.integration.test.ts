import { createSocket } from "node:dgram";
import { once } from "node:events";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { inNetworkNamespace } from "./network-namespace.testing.js";
import { bridgeIp, http, impatient, namesOf, refused, ruled, run, silence } from "./packet-stories.testing.js";
import { nodeIp, outsideIp, type ProxiedNode, pods, startProxiedNode } from "./proxied-node.testing.js";

const flags = ["--cluster-cidr=10.244.0.0/16,fd00:10:244::/64", "--iptables-variant=legacy"];
const legacySave = "iptables-legacy-save";
const written = (name: string, pattern?: string) => ruled(name, pattern, legacySave);

/** All four firewalls, without counters and dates. */
const firewalls = () =>
  ["iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy"]
    .map((kind) => run(`${kind}-save`).replace(/^#.*\n|\[\d+:\d+\]/gm, ""))
    .join();

inNetworkNamespace(import.meta.url, (namespace) => {
  test("packets by the legacy kind of iptables, and where they go when no endpoint is ready here", async (t: Test) => {
    const node = await startProxiedNode(t, namespace);
    t.teardown(() => {
      if (!t.passing()) t.comment(node.log());
    });
    for (const kind of ["nft", "legacy"])
      for (const family of ["iptables", "ip6tables"])
        for (const table of ["filter", "nat", "mangle"]) {
          run(`${family}-${kind}`, "-t", table, "-N", "MINE");
          run(`${family}-${kind}`, "-t", table, "-A", "MINE", "-p", "tcp", "--dport", "1", "-j", "RETURN");
          run(`${family}-${kind}`, "-t", table, "-A", "OUTPUT", "-j", "MINE");
        }
    const before = firewalls();
    node.startProxy(...flags);
    await eventually("the first sync", async () => run(legacySave).includes("KUBE-MARK-MASQ"));
    await t.test("F1 a counter of the kernel that somebody took away is made again", async () => {
      run("nfacct", "delete", "localhost_nps_accepted_pkts");
      run("iptables-legacy", "-F", "KUBE-FORWARD");
      await eventually("it is there", async () => run("nfacct", "list").includes("localhost_nps_accepted_pkts"));
    });
    await stories(t, node);

    await t.test("F1 --cleanup: every firewall is what it was before", async (t) => {
      await node.stopProxy();
      t.not(firewalls(), before);
      await node.proxyCommand("--cleanup");
      t.equal(firewalls(), before);
      t.notMatch(run("nfacct", "list"), "localhost_nps_accepted_pkts");
    });
  });

  async function stories(t: Test, { ask, ...node }: ProxiedNode): Promise<void> {
    await t.test("F1 without endpoints every address refuses, TCP and UDP", async (t) => {
      const spec = { type: "LoadBalancer", ports: http(), externalIPs: ["198.51.100.7"] };
      const { clusterIP, nodePort } = await node.service("empty", spec, [{ ip: "198.51.100.9" }]);
      await written("empty", "has no endpoints");
      await t.rejects(ask("a", `http://${clusterIP}`), refused);
      for (const host of [`${nodeIp}:${nodePort}`, "198.51.100.7", "198.51.100.9"])
        await t.rejects(ask("outside", `http://${host}`), refused, host);

      const udp = await node.service("empty-udp", { ports: http("UDP") });
      await written("empty-udp", "has no endpoints");
      const socket = createSocket("udp4");
      t.teardown(() => socket.close());
      socket.connect(80, udp.clusterIP);
      await once(socket, "connect");
      socket.send("who?");
      const [error] = (await once(socket, "error", { signal: AbortSignal.timeout(30_000) })) as [Error];
      t.match(error, { code: "ECONNREFUSED" });
    });

    await t.test("F1 F2 a cluster IP and a node port by the legacy kind", async (t) => {
      const { clusterIP, nodePort } = await node.service("web", { type: "NodePort", ports: http() });
      await node.endpoints("web", { a: {}, b: {} });
      await written("web", "-> 10.244.0.12");
      t.equal(await namesOf(15, () => ask("c", `http://${clusterIP}`)), "ab");
      t.equal((await ask("c", `http://${clusterIP}`)).source, pods.c, "a pod keeps its address");
      t.equal((await ask("outside", `http://${nodeIp}:${nodePort}`)).source, bridgeIp);
    });

    await t.test("F1 internalTrafficPolicy Local: dropped where no endpoint is local", async (t) => {
      const { clusterIP } = await node.service("inner", { ports: http(), internalTrafficPolicy: "Local" });
      await node.endpoints("inner", { b: { node: "node-2" } });
      await written("inner", "has no local endpoints");
      await t.rejects(ask("c", `http://${clusterIP}`, ...impatient), silence);
    });

    await t.test("F1 externalTrafficPolicy Local: the last local endpoint serves while it terminates", async (t) => {
      const balancer = { type: "LoadBalancer", ports: http(), externalTrafficPolicy: "Local" };
      await node.service("last", { ...balancer, healthCheckNodePort: 31_998 }, [{ ip: "198.51.100.10" }]);
      await node.endpoints("last", { a: { state: "terminating" }, b: { node: "node-2" } });
      await written("last", "-> 10.244.0.11");
      const health = (...curl: string[]) => ask("outside", `http://${nodeIp}:31998/`, ...curl);
      t.strictSame(await ask("outside", "http://198.51.100.10"), { name: "a", source: outsideIp });
      t.match(await health(), { localEndpoints: 0 }, "though balancers are told to go elsewhere");
      await t.rejects(health("--fail"), { message: /503/ });
      await node.endpoints("last", { b: { node: "node-2" } });
      await written("last", "has no local endpoints");
      await t.rejects(ask("outside", "http://198.51.100.10", ...impatient), silence);
    });

    await t.test("F1 session affinity ends with its timeout", async (t) => {
      const sessionAffinityConfig = { clientIP: { timeoutSeconds: 1 } };
      const spec = { ports: http(), sessionAffinity: "ClientIP", sessionAffinityConfig };
      const { clusterIP } = await node.service("briefly", spec);
      await node.endpoints("briefly", { a: {}, b: {}, c: {} });
      await written("briefly", "-> 10.244.0.13");
      const { name } = await ask("node", `http://${clusterIP}`);
      await eventually("another pod after a pause", async () => {
        await new Promise((resolve) => setTimeout(resolve, 2_100));
        return (await ask("node", `http://${clusterIP}`)).name !== name;
      });
      t.pass();
    });

    await t.test("F1 the flags say where node ports answer, and what is masqueraded", async (t) => {
      await node.stopProxy();
      node.startProxy(
        ...flags,
        "--masquerade-all",
        `--nodeport-addresses=${nodeIp}/32,127.0.0.0/8`,
        "--iptables-localhost-nodeports=false",
      );
      const { clusterIP, nodePort } = await node.service("flagged", { type: "NodePort", ports: http() });
      await node.endpoints("flagged", { a: {} });
      await written("flagged", "-> 10.244.0.11");
      t.equal((await ask("c", `http://${clusterIP}`)).source, bridgeIp, "masqueraded, though it comes from a pod");
      t.equal((await ask("outside", `http://${nodeIp}:${nodePort}`)).name, "a");
      await t.rejects(ask("c", `http://${bridgeIp}:${nodePort}`), refused, "an address out of the ranges");
      await t.rejects(ask("node", `http://127.0.0.1:${nodePort}`), refused, "localhost, though it is in them");
    });

    await t.test("F1 SCTP: an association's first packet goes to the endpoint", async (t) => {
      const ports = [{ port: 2905, protocol: "SCTP", targetPort: 8080 }];
      const { clusterIP } = await node.service("signal", { ports });
      await node.endpoints("signal", { a: {} }, { protocol: "SCTP" });
      await written("signal", "-> 10.244.0.11");
      // Not every kernel has SCTP sockets: an INIT chunk as raw bytes needs none.
      const init = Buffer.alloc(32);
      init.writeUInt16BE(40_000, 0);
      init.writeUInt16BE(2905, 2);
      init.set([1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1], 12);
      const bytes = [...init].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
      const flow = new RegExp(`dst=${clusterIP} sport=40000 dport=2905 .*src=${pods.a} .*sport=8080`);
      // The kernel forgets within seconds what nobody answers.
      await eventually("the flow", async () => {
        run("sh", "-c", `printf '${bytes}' | socat -u - IP4-SENDTO:${clusterIP}:132`);
        return flow.test(run("conntrack", "-L", "-p", "sctp"));
      });
      t.pass();
    });
  }
});
