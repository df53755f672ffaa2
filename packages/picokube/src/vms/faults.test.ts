import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { cutBetween, cutRules, delayLink, linkFaults, mendLink, pullCable } from "./faults.js";
import { describeVm } from "./vm.js";

const network = { bridge: "vmpico0", cidr: "172.30.0.0/24" };
const vm = (number: number) => describeVm(network, { name: `node-${number}`, number, directory: `/vms/${number}` });

test("a cut between two VMs goes both ways, and leaves the ways to others", (t) => {
  t.same(
    cutRules(vm(2), vm(3)).map((rule) => rule.join(" ")),
    ["FORWARD -i vmpico0-2 -o vmpico0-3 -j DROP", "FORWARD -i vmpico0-3 -o vmpico0-2 -j DROP"],
  );
  t.end();
});

test("a cut from the host is made where frames leave the bridge for it", (t) => {
  t.same(
    cutRules(vm(2), "host").map((rule) => rule.join(" ")),
    ["INPUT -i vmpico0-2 -j DROP", "OUTPUT -o vmpico0-2 -j DROP"],
  );
  t.end();
});

test("a machine that has no link yet cannot be cut off, in words", async (t) => {
  const absent = /node-2 has no link to break: picokube fault heal node-2 boots it/;
  await t.rejects(pullCable(vm(2)), absent);
  await t.rejects(cutBetween(vm(2), "host"), absent);
  await t.rejects(delayLink(vm(2), 10), absent);
  await mendLink(vm(2));
});

test("without ebtables there are no cuts to tell of or to mend, and none can be made", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-path-"));
  const network = { bridge: `vmf${process.pid}`, cidr: "172.30.0.0/24" };
  const cabled = describeVm(network, { name: "node-2", number: 2, directory });
  const ip = execFileSync("sh", ["-c", "PATH=$PATH:/usr/sbin:/sbin; command -v ip"], { encoding: "utf8" }).trim();
  const { PATH } = process.env;
  t.teardown(() => {
    process.env.PATH = PATH;
    execFileSync("ip", ["link", "delete", cabled.cable]);
    rmSync(directory, { recursive: true });
  });
  execFileSync(ip, ["link", "add", cabled.cable, "type", "veth", "peer", "name", `${cabled.cable}p`]);
  execFileSync(ip, ["link", "set", cabled.cable, "up"]);
  symlinkSync(ip, join(directory, "ip"));
  process.env.PATH = directory;
  t.same(await linkFaults(cabled, []), []);
  await t.rejects(cutBetween(cabled, "host"), /cutting machines apart needs ebtables on this machine/);
  await pullCable(cabled);
  t.same(await linkFaults(cabled, []), ["its cable is out"]);
  await mendLink(cabled);
  t.same(await linkFaults(cabled, []), []);
});
