import { test } from "tap";
import { cutRules } from "./faults.js";
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
