import ts from "typescript";

/** The entries of the package that have names. */
export const ENTRIES = ["bpfmap", "bpfmap/uapi", "bpfmap/testing"] as const;

/** The exports of a module that a file imports, and what they stand for. */
function exportsOf(checker: ts.TypeChecker, file: ts.SourceFile, entry: string): ts.Symbol[] {
  const imported = file.statements.find(
    (statement): statement is ts.ImportDeclaration =>
      ts.isImportDeclaration(statement) && (statement.moduleSpecifier as ts.StringLiteral).text === entry,
  );
  const module = imported && checker.getSymbolAtLocation(imported.moduleSpecifier);
  if (module === undefined) throw new Error(`${file.fileName} does not import ${entry}`);
  return checker.getExportsOfModule(module).map((symbol) => target(checker, symbol));
}

function target(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Whether a symbol is a type at the top level of a module of the package. */
function isTypeOfPackage({ flags, declarations = [] }: ts.Symbol): boolean {
  return (
    (flags & ts.SymbolFlags.Type & ~ts.SymbolFlags.TypeParameter) !== 0 &&
    declarations.some(({ parent }) => ts.isSourceFile(parent) && parent.fileName.includes("/bpfmap/dist/"))
  );
}

/**
 * Types of the package that the declarations of an entry mention, but that neither it nor the main entry exports, each with who
 * mentions it.
 */
export function unexportedNames(program: ts.Program, file: string, entry: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file) as ts.SourceFile;
  const exported = new Set(exportsOf(checker, source, entry));
  for (const symbol of exportsOf(checker, source, "bpfmap")) exported.add(symbol);
  const missing = new Set<string>();
  for (const symbol of exportsOf(checker, source, entry)) {
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) {
        const found = checker.getSymbolAtLocation(node);
        const named = found && target(checker, found);
        if (named && isTypeOfPackage(named) && !exported.has(named))
          missing.add(`${symbol.name}: ${named.name}`);
      }
      ts.forEachChild(node, visit);
    };
    for (const declaration of symbol.declarations ?? []) visit(declaration);
  }
  return [...missing].sort();
}
