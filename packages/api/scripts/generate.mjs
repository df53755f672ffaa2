// Writes dist/generated/schemas.json and descriptions.json, the schemas of every built-in kind, out of npm packages:
// shapes and words from kubernetes-models' declarations, formats, required fields and what belongs to 1.33 from
// @kubernetes/client-node, merge rules from merge-metadata.mjs. Nothing it writes is ever committed. Does nothing while
// its sources and the packages' versions stay the same.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mergeMetadata } from "./merge-metadata.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "..", "dist", "generated");

/** Folder of kubernetes-models to the Go package that full definition names start with. */
const PACKAGES = {
  v1: "io.k8s.api.core.v1",
  "admissionregistration.k8s.io/v1": "io.k8s.api.admissionregistration.v1",
  "apiextensions.k8s.io/v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  "apiregistration.k8s.io/v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
  "apps/v1": "io.k8s.api.apps.v1",
  "authentication.k8s.io/v1": "io.k8s.api.authentication.v1",
  "authorization.k8s.io/v1": "io.k8s.api.authorization.v1",
  "autoscaling/v1": "io.k8s.api.autoscaling.v1",
  "autoscaling/v2": "io.k8s.api.autoscaling.v2",
  "batch/v1": "io.k8s.api.batch.v1",
  "certificates.k8s.io/v1": "io.k8s.api.certificates.v1",
  "coordination.k8s.io/v1": "io.k8s.api.coordination.v1",
  "discovery.k8s.io/v1": "io.k8s.api.discovery.v1",
  "events.k8s.io/v1": "io.k8s.api.events.v1",
  "flowcontrol.apiserver.k8s.io/v1": "io.k8s.api.flowcontrol.v1",
  "networking.k8s.io/v1": "io.k8s.api.networking.v1",
  "node.k8s.io/v1": "io.k8s.api.node.v1",
  "policy/v1": "io.k8s.api.policy.v1",
  "rbac.authorization.k8s.io/v1": "io.k8s.api.rbac.v1",
  "scheduling.k8s.io/v1": "io.k8s.api.scheduling.v1",
  "storage.k8s.io/v1": "io.k8s.api.storage.v1",
};
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** The same for @kubernetes-models/apimachinery. */
const MACHINERY = {
  "api/resource": "io.k8s.apimachinery.pkg.api.resource",
  "apis/meta/v1": META,
  runtime: "io.k8s.apimachinery.pkg.runtime",
  "util/intstr": "io.k8s.apimachinery.pkg.util.intstr",
  version: "io.k8s.apimachinery.pkg.version",
};

const EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
/** Types whose JSON form no declaration tells. */
const BY_HAND = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { type: "string", format: "quantity" },
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { type: "string", format: "int-or-string" },
  "io.k8s.apimachinery.pkg.runtime.RawExtension": { type: "object", preserveUnknownFields: true },
  [`${META}.FieldsV1`]: { type: "object", preserveUnknownFields: true },
  [`${META}.Time`]: { type: "string", format: "date-time" },
  [`${META}.MicroTime`]: { type: "string", format: "micro-time" },
  [`${META}.Patch`]: { type: "object", preserveUnknownFields: true },
  [`${EXTENSIONS}.JSON`]: { preserveUnknownFields: true },
  [`${EXTENSIONS}.JSONSchemaPropsOrArray`]: { preserveUnknownFields: true },
  [`${EXTENSIONS}.JSONSchemaPropsOrBool`]: { preserveUnknownFields: true },
  [`${EXTENSIONS}.JSONSchemaPropsOrStringArray`]: { preserveUnknownFields: true },
  [`${EXTENSIONS}.CustomResourceSubresourceStatus`]: { type: "object" },
};

/** Fields that the declarations write out instead of naming their type. */
const TYPES_BY_HAND = {
  "io.k8s.api.apps.v1.StatefulSetSpec.volumeClaimTemplates": {
    type: "array",
    items: { ref: "io.k8s.api.core.v1.PersistentVolumeClaim" },
  },
};

const TYPE_META_WORDS = {
  apiVersion:
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
  kind: "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
};

/** The folder of an installed package, hoisted or not. */
function packageFolder(name) {
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`${name} is not installed: run npm install`);
}

const roots = {
  "kubernetes-models": packageFolder("kubernetes-models"),
  "@kubernetes-models/apimachinery": packageFolder("@kubernetes-models/apimachinery"),
};
const modelsFolder = join(packageFolder("@kubernetes/client-node"), "dist", "gen", "models");

function stamp() {
  const hash = createHash("sha256");
  for (const name of readdirSync(here).sort()) hash.update(readFileSync(join(here, name)));
  for (const name of [...Object.keys(roots), "@kubernetes/client-node"]) {
    hash.update(JSON.parse(readFileSync(join(packageFolder(name), "package.json"), "utf8")).version);
  }
  return hash.digest("hex");
}

/** What client-node knows of a definition: fields with their formats, and which are required. undefined: not in 1.33. */
async function clientModel(fullName) {
  const [kind, version, group] = fullName.split(".").reverse();
  const capital = (word) => word[0].toUpperCase() + word.slice(1);
  const candidates = [`${capital(group)}${capital(version)}${kind}`, `${capital(version)}${kind}`];
  if (fullName === "io.k8s.apimachinery.pkg.version.Info") candidates.push("VersionInfo");
  const name = candidates.find((candidate) => existsSync(join(modelsFolder, `${candidate}.js`)));
  if (!name) return undefined;
  const module = await import(join(modelsFolder, `${name}.js`));
  const declaration = readFileSync(join(modelsFolder, `${name}.d.ts`), "utf8");
  const required = new Set([...declaration.matchAll(/^ {4}'([^']+)': /gm)].map((match) => match[1]));
  const fields = new Map();
  for (const attribute of module[name].attributeTypeMap) {
    fields.set(attribute.baseName, { format: attribute.format, required: required.has(attribute.name) });
  }
  return fields;
}

/** Puts client-node's format where the number or string stands, however deep. */
function withFormat(schema, format) {
  if (schema.items) return { ...schema, items: withFormat(schema.items, format) };
  if (schema.additionalProperties) {
    return { ...schema, additionalProperties: withFormat(schema.additionalProperties, format) };
  }
  if (schema.ref || !format) return schema.type === "number" ? { ...schema, format: "double" } : schema;
  if (format === "int32" || format === "int64") return { ...schema, type: "integer", format };
  return ["byte", "double"].includes(format) ? { ...schema, format } : schema;
}

function definitionOf(fullName, declaration, fields) {
  const byHand = BY_HAND[fullName];
  const words = { "": declaration.description };
  if (byHand) return { schema: byHand, words };
  const properties = {};
  const required = [];
  for (const [name, property] of declaration.properties) {
    const field = fields.get(name);
    if (!field) continue;
    const typeMeta = property.literal && (name === "apiVersion" || name === "kind");
    const schema = TYPES_BY_HAND[`${fullName}.${name}`] ?? property.schema;
    properties[name] = typeMeta ? { type: "string" } : withFormat(schema, field.format);
    words[name] = typeMeta ? TYPE_META_WORDS[name] : property.description;
    if (field.required && !typeMeta) required.push(name);
  }
  return { schema: { type: "object", properties, ...(required.length > 0 ? { required } : {}) }, words };
}

function applyMergeMetadata(definitions) {
  for (const [fullName, fields] of Object.entries(mergeMetadata)) {
    const definition = definitions.get(fullName);
    if (!definition) throw new Error(`merge-metadata.mjs names ${fullName}, which is no definition`);
    for (const [name, metadata] of Object.entries(fields)) {
      const target = name === "$" ? definition : definition.properties?.[name];
      if (!target) throw new Error(`merge-metadata.mjs names ${fullName}.${name}, which is no field`);
      // Go's lists of bytes are lists to its markers, and strings to JSON.
      if (metadata.listType && target.type !== "array" && target.format !== "byte")
        throw new Error(`${fullName}.${name} is no list`);
      if (metadata.mapType && target.type === "array") throw new Error(`${fullName}.${name} is no map`);
      Object.assign(target, metadata);
    }
  }
}

/** A reference of one declaration file to another, as a full name. */
function fullNameOf({ packageName, folder, name }) {
  const prefix = packageName === "kubernetes-models" ? PACKAGES[folder] : MACHINERY[folder];
  return prefix && `${prefix}.${name}`;
}

async function generate() {
  const { parseDeclaration } = await import("./declarations.mjs"); // here, for it loads the compiler
  const definitions = new Map();
  const descriptions = {};
  const kinds = { "v1/DeleteOptions": `${META}.DeleteOptions`, "v1/Status": `${META}.Status` };
  const folders = [
    ...Object.keys(PACKAGES).map((folder) => ["kubernetes-models", folder]),
    ...Object.keys(MACHINERY).map((folder) => ["@kubernetes-models/apimachinery", folder]),
  ];
  for (const [packageName, folder] of folders) {
    const directory = join(roots[packageName], folder);
    for (const file of readdirSync(directory).sort()) {
      if (!file.endsWith(".d.ts") || file === "index.d.ts") continue;
      const name = file.slice(0, -".d.ts".length);
      const fullName = fullNameOf({ packageName, folder, name });
      const fields = await clientModel(fullName);
      if (!fields && !BY_HAND[fullName]) continue;
      const declaration = parseDeclaration({ path: join(directory, file), packageName, folder, name, fullNameOf });
      const { schema, words } = definitionOf(fullName, declaration, fields);
      definitions.set(fullName, schema);
      descriptions[fullName] = words;
      const apiVersion = declaration.properties.get("apiVersion")?.literal;
      const kind = declaration.properties.get("kind")?.literal;
      if (apiVersion && kind) kinds[`${apiVersion}/${kind}`] = fullName;
    }
  }
  const check = (schema, where) => {
    if (schema.ref && !definitions.has(schema.ref))
      throw new Error(`${where} refers to ${schema.ref}, which is missing`);
    if (schema.items) check(schema.items, where);
    if (schema.additionalProperties) check(schema.additionalProperties, where);
    for (const [name, property] of Object.entries(schema.properties ?? {})) check(property, `${where}.${name}`);
  };
  for (const [fullName, schema] of definitions) check(schema, fullName);
  applyMergeMetadata(definitions);
  return { schemas: { kinds, definitions: Object.fromEntries(definitions) }, descriptions };
}

/** Whole or not at all, so that two builds at once cannot leave half a file. */
function write(name, text) {
  const temporary = join(output, `.${name}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(output, name));
}

const current = stamp();
const stampFile = join(output, "stamp");
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== current) {
  const { schemas, descriptions } = await generate();
  mkdirSync(output, { recursive: true });
  write("schemas.json", JSON.stringify(schemas));
  write("descriptions.json", JSON.stringify(descriptions));
  write("stamp", current);
}
