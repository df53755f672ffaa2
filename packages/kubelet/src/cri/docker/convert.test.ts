// Where images came from, by what the engines of each kind say of them.

import { test } from "tap";
import { imageOrigin } from "./convert.js";

test("the origin of an image", async (t) => {
  const id = `sha256:${"a".repeat(64)}`;
  const other = `nginx@sha256:${"b".repeat(64)}`;
  for (const [name, image, origin] of [
    ["classic store, built or loaded", { Id: id, RepoDigests: [] }, "host"],
    ["classic store, pulled", { Id: id, RepoDigests: [other] }, "registry"],
    ["containerd store before 29", { Id: id, RepoDigests: [`nginx@${id}`] }, "unknown"],
    ["containerd store, untagged", { Id: id, RepoDigests: null }, "host"],
    ["29, built", { Id: id, RepoDigests: [`nginx@${id}`], Identity: { Build: [{}] } }, "host"],
    ["29, pulled", { Id: id, RepoDigests: [`nginx@${id}`], Identity: { Pull: [{}] } }, "registry"],
    [
      "29, built and pushed",
      { Id: id, RepoDigests: [`nginx@${id}`], Identity: { Build: [{}], Pull: [{}] } },
      "registry",
    ],
    ["29, loaded", { Id: id, RepoDigests: [`nginx@${id}`], Identity: {} }, "unknown"],
  ] as const) {
    t.equal(imageOrigin(image), origin, name);
  }
});
