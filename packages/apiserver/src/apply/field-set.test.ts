import { test } from "tap";
import {
  difference,
  EMPTY,
  elementText,
  type FieldSet,
  intersection,
  parseFieldSet,
  pathsOf,
  pathText,
  sameSet,
  union,
} from "./field-set.js";

const set = (value: unknown) => parseFieldSet(value);
const text = (of: FieldSet) => [...pathsOf(of)].map(pathText);

test("a path and the paths below it are apart", (t) => {
  const a = set({ "f:a": { "f:b": {} } });
  const b = set({ "f:a": {} });
  t.same(text(union(a, b)), [".a", ".a.b"]);
  t.same(union(a, b), { "f:a": { ".": {}, "f:b": {} } });
  t.same(text(difference(union(a, b), b)), [".a.b"]);
  t.same(text(difference(union(a, b), a)), [".a"]);
  t.same(text(intersection(a, b)), []);
  t.same(text(intersection(union(a, b), a)), [".a.b"]);
  t.end();
});

test("an operation that changes nothing gives back its argument", (t) => {
  const a = set({ "f:a": { ".": {}, "f:b": {} }, "f:c": {} });
  const part = set({ "f:a": { "f:b": {} } });
  t.equal(union(a, part), a);
  t.equal(union(a, EMPTY), a);
  t.equal(difference(a, set({ "f:x": {}, "f:c": { "f:y": {} } })), a);
  t.not(difference(a, part), a);
  t.end();
});

test("sets of random paths obey the laws of sets", (t) => {
  let seed = 7;
  const random = (bound: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * bound);
  };
  const elements = ["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'];
  const randomSet = () => {
    let made = EMPTY;
    for (let path = random(6); path >= 0; path--) {
      let node: FieldSet = {};
      for (let depth = random(4); depth >= 0; depth--) node = { [elements[random(4)]!]: node };
      made = union(made, node);
    }
    return made;
  };
  const asSet = (of: FieldSet) => new Set(text(of));
  for (let round = 0; round < 2000; round++) {
    const [a, b] = [randomSet(), randomSet()];
    const [left, right] = [asSet(a), asSet(b)];
    const expected = {
      union: [...new Set([...left, ...right])].sort(),
      difference: [...left].filter((path) => !right.has(path)).sort(),
      intersection: [...left].filter((path) => right.has(path)).sort(),
    };
    const found = {
      union: text(union(a, b)).sort(),
      difference: text(difference(a, b)).sort(),
      intersection: text(intersection(a, b)).sort(),
    };
    if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, `round ${round}`);
    const canonical = sameSet(union(a, b), union(b, a)) && JSON.stringify(union(a, b)) === JSON.stringify(union(b, a));
    if (!canonical) t.fail(`round ${round}: the order of a union shows`);
  }
  t.pass("2000 rounds");
  t.end();
});

test("elements as people read them, and as clients may write them", (t) => {
  t.equal(elementText('k:{"containerPort":80,"protocol":"TCP"}'), '[containerPort=80,protocol="TCP"]');
  t.equal(elementText('v:"kubernetes"'), '[="kubernetes"]');
  t.equal(elementText("f:app.kubernetes.io/name"), ".app.kubernetes.io/name");
  t.same(set({ 'k:{ "protocol": "TCP", "containerPort": 80 }': {} }), {
    'k:{"containerPort":80,"protocol":"TCP"}': {},
  });
  for (const wrong of [[], null, { a: {} }, { "f:a": 1 }, { "k:[": {} }, { "i:x": {} }]) t.throws(() => set(wrong));
  t.end();
});
