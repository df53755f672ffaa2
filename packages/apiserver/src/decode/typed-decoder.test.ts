// What typed decoding accepts, drops, reports and refuses, in Go's words.

import { test } from "tap";
import { decodeTyped } from "./typed-decoder.js";

const POD = "io.k8s.api.core.v1.Pod";
const container = (fields: object) => ({ spec: { containers: [{ name: "c", ...fields }] } });

test("accepted", async (t) => {
  const cases: { name: string; value: unknown; expected: unknown; unknown?: string[] }[] = [
    {
      name: "quantities become canonical",
      value: container({ resources: { limits: { cpu: 0.5, memory: "1024Mi" } } }),
      expected: container({ resources: { limits: { cpu: "500m", memory: "1Gi" } } }),
    },
    { name: "nulls go", value: container({ image: null }), expected: container({}) },
    {
      name: "empty lists and maps go, empty structs stay",
      value: { metadata: { labels: {} }, spec: { containers: [], tolerations: [], securityContext: {} } },
      expected: { metadata: {}, spec: { containers: [], securityContext: {} } },
    },
    {
      name: "unknown fields are told by path",
      value: container({ imag: "x" }),
      expected: container({}),
      unknown: ["spec.containers[0].imag"],
    },
    {
      name: "int or string",
      value: container({ livenessProbe: { httpGet: { port: "http" } } }),
      expected: container({ livenessProbe: { httpGet: { port: "http" } } }),
    },
    {
      name: "times are UTC",
      value: { metadata: { creationTimestamp: "2026-01-01T01:00:00+01:00" } },
      expected: { metadata: { creationTimestamp: "2026-01-01T00:00:00Z" } },
    },
    {
      name: "__proto__ is a name like another in maps",
      value: JSON.parse('{"metadata":{"labels":{"__proto__":"x"}}}'),
      expected: JSON.parse('{"metadata":{"labels":{"__proto__":"x"}}}'),
    },
  ];
  for (const { name, value, expected, unknown = [] } of cases) {
    const result = decodeTyped(value, POD);
    t.equal(JSON.stringify(result.value), JSON.stringify(expected), name);
    t.same(result.unknownFields, unknown, name);
  }
});

test("refused", async (t) => {
  const cases: [unknown, string][] = [
    [{ spec: "x" }, "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"],
    [
      { spec: { containers: {} } },
      "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    ],
    [
      container({ image: 1 }),
      "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string",
    ],
    [
      container({ tty: "yes" }),
      "json: cannot unmarshal string into Go struct field Container.spec.containers.tty of type bool",
    ],
    [
      container({ ports: [{ containerPort: 1.5 }] }),
      "json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    ],
    [
      container({ ports: [{ containerPort: 3e9 }] }),
      "json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    ],
    [
      { metadata: { labels: { a: 1 } } },
      "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    ],
    [
      container({ resources: { limits: { cpu: "x" } } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ];
  for (const [value, message] of cases) t.throws(() => decodeTyped(value, POD), { message }, message);
  t.throws(() => decodeTyped({ data: { a: "!!" } }, "io.k8s.api.core.v1.Secret"), {
    message: "illegal base64 data at input byte 0",
  });
});

test("values of any shape may nest as deep as JSON text may, whatever they were made of", async (t) => {
  const nested = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
  const REVISION = "io.k8s.api.apps.v1.ControllerRevision";
  t.throws(() => decodeTyped({ data: nested(100_000) }, REVISION), { message: "exceeded max depth" });
  t.same(decodeTyped({ data: nested(500) }, REVISION).value, { data: nested(500) });
});
