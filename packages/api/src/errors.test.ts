import { test } from "tap";
import { invalid, isNotFound, notFound } from "./errors.js";
import { required } from "./validation/field-error.js";

test("notFound speaks upstream's words", (t) => {
  const error = notFound({ group: "apps", resource: "deployments" }, "web");
  t.equal(error.message, 'deployments.apps "web" not found');
  t.ok(isNotFound(error));
  t.match(error.toStatus(), {
    kind: "Status",
    code: 404,
    details: { name: "web", group: "apps", kind: "deployments" },
  });
  t.end();
});

test("invalid lists every cause", (t) => {
  const error = invalid({ group: "", kind: "Pod" }, "p", [required("spec.containers[0].image"), required("spec.x")]);
  t.equal(error.message, 'Pod "p" is invalid: [spec.containers[0].image: Required value, spec.x: Required value]');
  t.equal(error.toStatus().details?.causes?.length, 2);
  t.end();
});
