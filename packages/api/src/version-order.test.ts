import { test } from "tap";
import { byVersionPriority } from "./version-order.js";

test("versions in the order of preference", async (t) => {
  const preferred = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
  t.same([...preferred].sort().sort(byVersionPriority), preferred);
  t.same([...preferred].reverse().sort(byVersionPriority), preferred);
});
