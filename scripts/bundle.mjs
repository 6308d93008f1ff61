// Writes the scripts of the package: one for each entry point, and what they share. 240 modules of their own took a process four times as
// long to load as these few.
import { dirname, relative, resolve } from "node:path";
import { rolldown } from "rolldown";

/** The entry points, and what package.json names besides. */
const ENTRIES = ["index", "uapi/index", "ebpf/index", "testing/index", "cli/main", "node", "random"];

/** What package.json has one file for in Node, src/node.ts, and another one elsewhere. */
const BY_CONDITION = {
  "generated/core.js": "#core",
  "generated/core_shared.js": "#core_shared",
  "random.ts": "#random",
};

/**
 * The shared files, and the modules of src/ in each. A bundler leaves a file out as a whole when a program uses nothing of it; within a
 * file it keeps each statement that could have an effect, such as a class with a computed name. So what many programs do without is a
 * file of its own. Files know each other in one direction only.
 */
const CHUNKS = [
  ["hosts", /^hosts\.ts$/],
  ["ebpf", /^ebpf\/(?!index\.ts)|^generated\/ebpf/],
  ["bpf", /^uapi\/(?!index\.ts|libbpf\.ts)/],
  ["kv", /^kv\//],
  ["shared_maps", /^maps\/(\w+\/)?shared_\w+(\/\w+)?\.ts$/],
  ["programs", /^programs\/(?!runnable\.ts)/],
  ["codecs", /^(arguments|codec|print)\/|^(constants|errors)\.ts$|^generated\/abi\.js$/],
  ["maps", /^(core|entries|host|maps|ops|runs|programs|generated)\//],
];

/** The name of a file, from `src` on. */
const nameIn = (src, file) => relative(src, file).replaceAll("\\", "/");

/** @param {string} src  @param {string} folder where the scripts go */
export async function bundle(src, folder) {
  const groups = CHUNKS.map(([name, modules], i) => ({
    name: `parts/${name}`,
    test: (id) => modules.test(nameIn(src, id)),
    priority: CHUNKS.length - i,
  }));
  const build = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [name, `${src}/${name}.ts`])),
    platform: "neutral",
    tsconfig: false,
    transform: { target: "es2022" },
    // Needed by `includeDependenciesRecursively: false`. Entries get no other exports, since none has modules of its own that are shared.
    preserveEntrySignatures: "allow-extension",
    plugins: [
      {
        name: "by-condition",
        resolveId(specifier, importer) {
          if (importer === undefined) return undefined; // an entry
          if (!specifier.startsWith(".")) return { id: specifier, external: true };
          const id = BY_CONDITION[nameIn(src, resolve(dirname(importer), specifier))];
          return id === undefined ? undefined : { id, external: true };
        },
      },
    ],
  });
  const { output } = await build.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    minifyInternalExports: false,
    // Whoever reads them has the declarations, too.
    comments: { jsdoc: false },
    codeSplitting: { groups, includeDependenciesRecursively: false },
  });
  await build.close();
  check(output);
}

/** Throws where files import each other in a circle, or an entry gives more than its source: then {@link CHUNKS} no longer fits src/. */
function check(output) {
  const files = new Map(output.map((file) => [file.fileName, file]));
  const reach = (name, way) => {
    if (way.includes(name))
      throw new Error(`the scripts of dist/ import each other: ${[...way, name].join(" > ")}`);
    for (const next of files.get(name)?.imports ?? []) reach(next, [...way, name]);
  };
  for (const { fileName, isEntry } of output) {
    reach(fileName, []);
    if (!isEntry && !fileName.startsWith("parts/"))
      throw new Error(`${fileName} has no name: add its modules to CHUNKS`);
  }
}
