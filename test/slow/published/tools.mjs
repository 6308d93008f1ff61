// What test/slow/published.test.ts uses of the packages of this folder.
export { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
export { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
export { buildSync } from "esbuild";
export { publint } from "publint";
