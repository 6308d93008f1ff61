// A project of a consumer as an editor sees it, in any release of TypeScript.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type typescript from "typescript";

export type TypeScript = typeof typescript;

/** What a consumer may set, in the words of tsconfig.json. */
export type TypeOptions = Readonly<Record<string, unknown>>;

const STRICT: TypeOptions = {
  strict: true,
  noEmit: true,
  target: "ES2022",
  lib: ["ES2023", "ESNext.Disposable", "DOM"],
  types: ["node"],
  skipLibCheck: true,
};

/** Files of a folder under one set of options. */
export class TypedProject {
  readonly program: typescript.Program;
  readonly #ts: TypeScript;
  readonly #folder: string;
  readonly #files: readonly string[];
  readonly #service: typescript.LanguageService;

  constructor(ts: TypeScript, folder: string, files: readonly string[], options: TypeOptions) {
    this.#ts = ts;
    this.#folder = folder;
    this.#files = files.map((file) => join(folder, file));
    const parsed = ts.convertCompilerOptionsFromJson({ ...STRICT, ...options }, folder);
    if (parsed.errors.length > 0) throw new Error(parsed.errors.map((error) => this.#text(error)).join("\n"));
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => parsed.options,
      getScriptFileNames: () => [...this.#files],
      getScriptVersion: () => "1",
      getScriptSnapshot: (file) =>
        ts.sys.fileExists(file) ? ts.ScriptSnapshot.fromString(readFileSync(file, "utf8")) : undefined,
      getCurrentDirectory: () => folder,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      realpath: ts.sys.realpath as (path: string) => string,
    });
    this.program = this.#service.getProgram() as typescript.Program;
  }

  #text({ messageText, code }: typescript.Diagnostic): string {
    return `TS${code}: ${this.#ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  }

  /**
   * What the compiler says about the files and about the declarations of the package, by file. What it says, without `skipLibCheck`,
   * about its own library and the types of Node is nothing that the package could mend.
   */
  errors(): Record<string, string[]> {
    const { program } = this;
    const errors: Record<string, string[]> = {};
    const note = (file: string, problem: typescript.Diagnostic) => {
      const line = problem.file?.getLineAndCharacterOfPosition(problem.start ?? 0).line ?? 0;
      errors[file] ??= [];
      errors[file].push(`line ${line + 1}: ${this.#text(problem)}`);
    };
    for (const problem of [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()]) {
      note("options", problem);
    }
    for (const source of program.getSourceFiles()) {
      const { fileName } = source;
      if (!this.#files.includes(fileName) && !fileName.includes("/bpfmap/dist/")) continue;
      const problems = [
        ...program.getSyntacticDiagnostics(source),
        ...program.getSemanticDiagnostics(source),
      ];
      for (const problem of problems) note(fileName.slice(this.#folder.length + 1), problem);
    }
    return errors;
  }

  /** What an editor shows over the last name of an expression, where it first stands in a file, on one line. */
  hover(file: string, expression: string): string {
    const path = join(this.#folder, file);
    const start = readFileSync(path, "utf8").indexOf(expression);
    if (start < 0) throw new Error(`${file} has no ${expression}`);
    const position = start + expression.length - 1;
    const { displayParts } = this.#service.getQuickInfoAtPosition(path, position) ?? {};
    return (displayParts ?? [])
      .map(({ text }) => text)
      .join("")
      .replaceAll(/\s+/g, " ");
  }
}
