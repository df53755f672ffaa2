// Configurations, what plugins are given, and what they answer, by table.

import { test } from "tap";
import { addressesOf } from "./cni-network.js";
import { failureWords, pluginInput } from "./exec-plugin.js";
import { parseNetworkList, readNetworkList } from "./network-list.js";

test("configurations", async (t) => {
  const list = { cniVersion: "1.0.0", name: "net", plugins: [{ type: "bridge" }, { type: "portmap" }] };
  t.same(parseNetworkList(JSON.stringify(list), "f"), list);
  t.match(parseNetworkList('{"name": "one", "type": "bridge", "mtu": 9}', "f"), {
    name: "one",
    cniVersion: "0.1.0",
    plugins: [{ type: "bridge", mtu: 9 }],
  });
  for (const [text, words] of [
    ['{"plugins": [{"type": "bridge"}]}', /no name/],
    ['{"name": "net", "plugins": []}', /no plugins in list/],
    ['{"name": "net", "plugins": [{"type": "a"}, {}]}', /missing 'type' in plugin 1/],
    ["{", /JSON/],
  ] as const) {
    t.throws(() => parseNetworkList(text, "f"), words, text);
  }
});

test("the first file that is a configuration counts", async (t) => {
  const directory = t.testdir({
    "00-readme.txt": "no configuration",
    "05-broken.conflist": "{",
    "10-b.conflist": '{"name": "b", "plugins": [{"type": "bridge"}]}',
    "20-a.conf": '{"name": "a", "type": "bridge"}',
  });
  const faults: string[] = [];
  t.match(await readNetworkList(directory, (file) => faults.push(file)), { name: "b" });
  t.match(faults, [/05-broken\.conflist$/]);
  t.equal(await readNetworkList(`${directory}/none`), undefined);
});

test("what a plugin reads", async (t) => {
  const call = {
    command: "ADD" as const,
    network: { name: "net", cniVersion: "1.0.0" },
    attachment: {
      containerId: "c",
      netns: "/proc/1/ns/net",
      ifName: "eth0",
      args: {},
      capabilityArgs: { portMappings: [{ hostPort: 80 }] },
    },
    previous: undefined,
    binDirs: [],
  };
  const portmap = { type: "portmap", capabilities: { portMappings: true, bandwidth: true } };
  t.same(pluginInput({ ...call, plugin: { type: "bridge", mtu: 1400 } }), {
    type: "bridge",
    mtu: 1400,
    name: "net",
    cniVersion: "1.0.0",
  });
  t.same(pluginInput({ ...call, plugin: portmap, previous: { ips: [] } }), {
    ...portmap,
    name: "net",
    cniVersion: "1.0.0",
    runtimeConfig: { portMappings: [{ hostPort: 80 }] },
    prevResult: { ips: [] },
  });
});

test("what a plugin answers", async (t) => {
  t.same(addressesOf({ ips: [{ address: "10.1.0.2/24" }, { address: "fd00::2/64" }] }), ["10.1.0.2", "fd00::2"]);
  t.same(addressesOf({ ip4: { ip: "10.1.0.3/24" } }), ["10.1.0.3"]);
  t.same(addressesOf({}), []);
  for (const [stdout, stderr, words] of [
    ['{"code": 11, "msg": "no addresses", "details": "full"}', "", "no addresses; full"],
    ['{"code": 11, "msg": "no addresses"}', "", "no addresses"],
    ["panic", "", 'netplugin failed: "panic"'],
    ["", "trace", 'netplugin failed: "trace"'],
    ["", "", "netplugin failed with no error message"],
  ] as const) {
    t.equal(failureWords(stdout, stderr), words);
  }
});
