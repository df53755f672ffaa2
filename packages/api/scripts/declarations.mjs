// Reads one declaration file of kubernetes-models: an interface's fields with their types and comments. Knows the shapes
// that those files use and throws on any other, so that a new release cannot slip in misread.

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";

/** The text of the doc comment before a node, without its stars. */
function comment(source, node) {
  const ranges = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  const last = ranges.at(-1);
  if (!last || !source.text.startsWith("/**", last.pos)) return undefined;
  const text = source.text
    .slice(last.pos + 3, last.end - 2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();
  return text === "" ? undefined : text;
}

/** Local type name to the declaration file it comes from. */
function importsOf(source, { packageName, folder }) {
  const imports = new Map();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const from = statement.moduleSpecifier.text;
    const elements = statement.importClause?.namedBindings?.elements ?? [];
    for (const element of elements) imports.set(element.name.text, target(from, { packageName, folder }));
  }
  return imports;
}

function target(from, { packageName, folder }) {
  const machinery = "@kubernetes-models/apimachinery/";
  const [inPackage, path] = from.startsWith(machinery)
    ? ["@kubernetes-models/apimachinery", from.slice(machinery.length)]
    : [packageName, posix.join(folder, from)];
  return { packageName: inPackage, folder: posix.dirname(path), name: posix.basename(path).replace(/\.js$/, "") };
}

function schemaOf(type, context) {
  switch (type.kind) {
    case ts.SyntaxKind.StringKeyword:
      return { type: "string" };
    case ts.SyntaxKind.NumberKeyword:
      return { type: "number" };
    case ts.SyntaxKind.BooleanKeyword:
      return { type: "boolean" };
    default:
  }
  if (ts.isArrayTypeNode(type)) return { type: "array", items: schemaOf(type.elementType, context) };
  if (ts.isTypeLiteralNode(type)) {
    const [member] = type.members;
    if (!member) return { type: "object", preserveUnknownFields: true };
    if (ts.isIndexSignatureDeclaration(member)) {
      return { type: "object", additionalProperties: schemaOf(member.type, context) };
    }
  }
  if (ts.isUnionTypeNode(type) && type.types.every((part) => ts.isLiteralTypeNode(part))) {
    return { type: "string", enum: type.types.map((part) => part.literal.text).sort() };
  }
  if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) {
    return { type: "string", enum: [type.literal.text] };
  }
  if (ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName)) {
    const name = type.typeName.text;
    if (name === "Array") return { type: "array", items: schemaOf(type.typeArguments[0], context) };
    const found = name === `I${context.name}` ? context : context.imports.get(name);
    const ref = found && context.fullNameOf(found);
    if (ref) return { ref };
  }
  // A type of a group or release that is not served; a field of it falls away with it.
  return { ref: `unknown:${type.getText(context.source)}` };
}

/** Name to { schema, description, literal } in the order declared; literal is a string literal type's text. */
export function parseDeclaration({ path, packageName, folder, name, fullNameOf }) {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2023, true);
  const context = {
    source,
    packageName,
    folder,
    name,
    fullNameOf,
    imports: importsOf(source, { packageName, folder }),
  };
  const properties = new Map();
  for (const statement of source.statements) {
    const own = `I${name}`;
    if (ts.isTypeAliasDeclaration(statement) && statement.name.text === own) {
      return { description: comment(source, statement), properties };
    }
    if (!ts.isInterfaceDeclaration(statement) || statement.name.text !== own) continue;
    for (const member of statement.members) {
      if (!ts.isPropertySignature(member)) continue;
      const literal = ts.isLiteralTypeNode(member.type) ? member.type.literal.text : undefined;
      properties.set(member.name.text, {
        schema: schemaOf(member.type, context),
        description: comment(source, member),
        literal,
      });
    }
    return { description: comment(source, statement), properties };
  }
  throw new Error(`${path} declares no I${name}`);
}
