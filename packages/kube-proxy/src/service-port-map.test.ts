import { test } from "tap";
import { createServicePortMap } from "./service-port-map.js";
import { servicePorts } from "./service-ports.js";
import { service, slice } from "./shapes.testing.js";

const from = { family: "IPv4", nodeName: "node-1", zone: "" } as const;
const portsWith = (spec: object, ...ips: string[]) =>
  servicePorts(service(spec), [slice(...ips.map((ip) => ({ ip })))], from);

test("what is asked of all service ports follows each change", (t) => {
  const map = createServicePortMap();
  t.ok(map.isEmpty());
  map.set("default/web", portsWith({}, "10.244.0.5", "10.244.0.6"));
  map.set("default/inner", portsWith({ internalTrafficPolicy: "Local" }, "10.244.0.7"));
  t.equal(map.endpointCount(), 3);
  t.strictSame([...map.services()], ["default/web", "default/inner"]);
  t.equal(map.all().length, 2);
  t.strictSame(map.askingForLocal(), map.get("default/inner"));

  map.set("default/web", portsWith({ internalTrafficPolicy: "Local" }, "10.244.0.5"));
  map.set("default/inner", portsWith({}));
  t.equal(map.endpointCount(), 1);
  t.strictSame(map.askingForLocal(), map.get("default/web"));

  map.set("default/web", []);
  t.strictSame([...map.services()], ["default/inner"]);
  t.notOk(map.isEmpty());
  t.strictSame([map.endpointCount(), map.askingForLocal().length, map.get("default/web").length], [0, 0, 0]);
  t.end();
});
