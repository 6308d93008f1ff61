// A Vitest project of `npm run test:all`: the suites of the API once more, on hosts that are shared.
//   npm run test:slow -- --project "shared hosts"
import { fileURLToPath } from "node:url";
import type { UserWorkspaceConfig } from "vitest/config";

const api = fileURLToPath(new URL("api.ts", import.meta.url));
const setup = fileURLToPath(new URL("setup.ts", import.meta.url));

export const sharedHosts: UserWorkspaceConfig = {
  plugins: [
    {
      name: "shared hosts",
      enforce: "pre",
      /** Tests, and what they are made of, get the package from api.ts. */
      resolveId(source, importer) {
        const redirected =
          source.endsWith("/src/index.ts") && importer?.includes("/test/") && importer !== api;
        return redirected ? api : undefined;
      },
    },
  ],
  test: {
    name: "shared hosts",
    include: ["test/*.test.ts", "test/uapi/*.test.ts", "test/programs/*.test.ts"],
    exclude: [
      // Of the build, the documents and the codecs, which know no hosts.
      ...["core_build", "docs", "promises", "example_programs", "codec*"].map(
        (name) => `test/${name}.test.ts`,
      ),
      // These make shared hosts themselves where it matters, and know the memory of both.
      ...["verify*", "flips", "map_methods"].map((name) => `test/${name}.test.ts`),
      "test/programs/process.test.ts",
      "test/programs/process_filter.test.ts",
      // Of memory that grows, and ends where a plain host's does.
      ...["programs/rules", "programs/errors", "grow_views"].map((name) => `test/${name}.test.ts`),
    ],
    setupFiles: [setup],
    testTimeout: 10 * 60 * 1000,
  },
};
