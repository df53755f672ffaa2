// Brings decoded JSON into the shape of a schema as Go's typed decoding would: wrong types are refused in its words,
// unknown fields dropped and reported, nulls dropped, quantities made canonical. Pure; builds a new value.

import { canonicalQuantity } from "@picokube/api/quantity";
import { definition } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";

/** Go's complaint about a value: "json: cannot unmarshal ...". */
export class DecodeFault extends Error {
  override readonly name = "DecodeFault";
}

export interface DecodeResult {
  readonly value: unknown;
  /** Paths of fields that the schema does not know: "spec.containers[0].imag". */
  readonly unknownFields: readonly string[];
}

/** Decodes against the definition of that full name. Throws a DecodeFault. */
export function decodeTyped(value: unknown, definitionName: string): DecodeResult {
  const unknownFields: string[] = [];
  const decoder = new Decoder(unknownFields);
  const at = { struct: "", goPath: "", path: "" };
  return { value: decoder.decode(value, { ref: definitionName }, at), unknownFields };
}

/** Where the decoder stands: the innermost Go struct, the path as Go tells it, and with indexes. */
interface Place {
  readonly struct: string;
  readonly goPath: string;
  readonly path: string;
}

/** Objects and lists may nest so deep; real objects stay below 50. */
export const MAX_DEPTH = 1000;
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

class Decoder {
  private readonly unknownFields: string[];

  constructor(unknownFields: string[]) {
    this.unknownFields = unknownFields;
  }

  decode(value: unknown, schema: Schema, at: Place): unknown {
    if (schema.ref !== undefined) return this.decodeReferenced(value, schema.ref, at);
    if (schema.preserveUnknownFields && !schema.properties) return shallowEnough(value);
    switch (schema.type) {
      case "object":
        return schema.properties || !schema.additionalProperties
          ? this.decodeStruct(value, schema, at)
          : this.decodeMap(value, schema, at);
      case "array":
        return this.decodeList(value, schema, at);
      case "string":
        return this.decodeString(value, schema, at);
      case "boolean":
        if (typeof value === "boolean") return value;
        throw mismatch(value, "bool", at);
      case "integer":
        if (typeof value !== "number" || !isGoInteger(value, schema))
          throw mismatch(value, schema.format ?? "int64", at);
        return value;
      case "number":
        if (typeof value === "number") return value;
        throw mismatch(value, "float64", at);
      default:
        return value;
    }
  }

  private decodeReferenced(value: unknown, name: string, at: Place): unknown {
    const schema = definition(name);
    const isStruct = schema.type === "object" && !schema.preserveUnknownFields;
    // A value that is no object is the parent's fault: Go names the struct that holds the field.
    if (isStruct && !isObject(value)) throw mismatch(value, goTypeName(name), at);
    return this.decode(value, schema, isStruct ? { ...at, struct: name } : at);
  }

  private decodeStruct(value: unknown, schema: Schema, at: Place): unknown {
    if (!isObject(value)) throw mismatch(value, goTypeName(at.struct), at);
    const properties = schema.properties ?? {};
    const result: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value)) {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const path = at.path === "" ? name : `${at.path}.${name}`;
      if (property === undefined) {
        if (schema.preserveUnknownFields && name !== "__proto__") result[name] = field;
        else this.unknownFields.push(path);
        continue;
      }
      if (field === null || field === undefined) continue;
      const goPath = at.goPath === "" ? name : `${at.goPath}.${name}`;
      const decoded = this.decode(field, property, { struct: at.struct, goPath, path });
      if (isEmptyCollection(decoded, property) && !schema.required?.includes(name)) continue;
      result[name] = decoded;
    }
    return result;
  }

  private decodeMap(value: unknown, schema: Schema, at: Place): unknown {
    const items = schema.additionalProperties!;
    if (!isObject(value)) throw mismatch(value, goType(schema), at);
    const result: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value)) {
      const place = { struct: at.struct, goPath: at.goPath, path: `${at.path}.${name}` };
      const decoded = field === null ? zeroOf(items) : this.decode(field, items, place);
      Object.defineProperty(result, name, { value: decoded, enumerable: true, writable: true, configurable: true });
    }
    return result;
  }

  private decodeList(value: unknown, schema: Schema, at: Place): unknown {
    if (!Array.isArray(value)) throw mismatch(value, goType(schema), at);
    const items = schema.items ?? {};
    return value.map((item: unknown, index) => {
      if (item === null) return zeroOf(items);
      return this.decode(item, items, { struct: at.struct, goPath: at.goPath, path: `${at.path}[${index}]` });
    });
  }

  private decodeString(value: unknown, schema: Schema, at: Place): unknown {
    if (schema.format === "int-or-string") {
      if (typeof value === "number" && Number.isInteger(value)) return value;
      if (typeof value !== "string") throw mismatch(value, typeof value === "number" ? "int32" : "string", at);
      return value;
    }
    if (schema.format === "quantity") {
      if (typeof value !== "number" && typeof value !== "string") throw mismatch(value, "string", at);
      try {
        return canonicalQuantity(typeof value === "string" ? value.trim() : value);
      } catch (error) {
        throw new DecodeFault((error as Error).message);
      }
    }
    if (typeof value !== "string") throw mismatch(value, schema.format === "byte" ? "[]uint8" : "string", at);
    if (schema.format === "byte") {
      const text = value.replace(/[\r\n]/g, "");
      if (!BASE64.test(text)) throw new DecodeFault(`illegal base64 data at input byte ${base64FaultAt(text)}`);
      return text;
    }
    if ((schema.format === "date-time" || schema.format === "micro-time") && !isTime(value)) {
      const layout = schema.format === "date-time" ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
      throw new DecodeFault(
        `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`,
      );
    }
    return schema.format === "date-time" ? new Date(value).toISOString().replace(/\.\d+Z$/, "Z") : value;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON's text was measured before it was parsed; YAML, protobuf and patches can nest values deeper than JSON can be written. */
export function shallowEnough(value: unknown): unknown {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new DecodeFault("exceeded max depth");
    level = level.flatMap((inner) => (typeof inner === "object" && inner !== null ? Object.values(inner) : []));
  }
  return value;
}

function isTime(value: string): boolean {
  return RFC3339.test(value) && !Number.isNaN(Date.parse(value));
}

function isGoInteger(value: number, { format }: Schema): boolean {
  if (!Number.isInteger(value)) return false;
  return format === "int32" ? value >= -(2 ** 31) && value < 2 ** 31 : Math.abs(value) <= 2 ** 63;
}

function base64FaultAt(text: string): number {
  const bad = text.search(/[^A-Za-z0-9+/=]/);
  if (bad >= 0) return bad;
  const padding = text.indexOf("=");
  return padding >= 0 && padding < text.length - 2 ? padding : text.length - (text.length % 4);
}

/** Lists and maps without elements are what Go leaves out (omitempty); empty structs stay. */
function isEmptyCollection(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return value.length === 0 && schema.type === "array";
  if (schema.ref !== undefined || schema.additionalProperties === undefined) return false;
  return Object.keys(value as object).length === 0;
}

function zeroOf(schema: Schema): unknown {
  const resolved = schema.ref === undefined ? schema : definition(schema.ref);
  switch (resolved.type) {
    case "object":
      return {};
    case "array":
      return [];
    case "string":
      return resolved.format === "quantity" ? "0" : "";
    case "boolean":
      return false;
    case "integer":
    case "number":
      return 0;
    default:
      return null;
  }
}

function mismatch(value: unknown, type: string, at: Place): DecodeFault {
  const isOdd = typeof value === "number" && type !== "string" && type !== "bool" && !type.startsWith("[");
  const word = Array.isArray(value)
    ? "array"
    : typeof value === "number"
      ? isOdd
        ? `number ${value}`
        : "number"
      : typeof value === "boolean"
        ? "bool"
        : typeof value;
  if (at.goPath === "") return new DecodeFault(`json: cannot unmarshal ${word} into Go value of type ${type}`);
  return new DecodeFault(
    `json: cannot unmarshal ${word} into Go struct field ${goStructName(at.struct)}.${at.goPath} of type ${type}`,
  );
}

function goStructName(definitionName: string): string {
  return definitionName.slice(definitionName.lastIndexOf(".") + 1);
}

/** "io.k8s.api.core.v1.PodSpec" is v1.PodSpec. */
function goTypeName(definitionName: string): string {
  return definitionName.split(".").slice(-2).join(".");
}

function goType(schema: Schema): string {
  if (schema.ref !== undefined) return goTypeName(schema.ref);
  switch (schema.type) {
    case "array":
      return `[]${goType(schema.items ?? {})}`;
    case "object":
      return schema.additionalProperties ? `map[string]${goType(schema.additionalProperties)}` : "struct";
    case "boolean":
      return "bool";
    case "integer":
      return schema.format ?? "int64";
    case "number":
      return "float64";
    default:
      return schema.format === "byte" ? "[]uint8" : "string";
  }
}
