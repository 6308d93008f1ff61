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
    include: [
      "test/guarantees*.test.ts",
      "test/{entries,host,maps,ops,print,programs,runs,testing,uapi}/*.test.ts",
      "test/ops/batch/*.test.ts",
    ],
    exclude: [
      // These make shared hosts themselves where it matters, and know the memory of both.
      ...["maps/map_methods", "runs/process", "runs/process_filter"].map((name) => `test/${name}.test.ts`),
      // Of the flat part of a bucket array, which shared hosts have not.
      "test/testing/flat_part.test.ts",
      // They refuse it.
      ...["testing", "maps"].map((room) => `test/${room}/absent_filter.test.ts`),
      // Of the book of a map that evicts, as it lies in the memory of a plain host.
      "test/maps/lru_book.test.ts",
      // There a map of `maxBytes` may be a quarter smaller than it could be: it is held below, but not as near.
      "test/maps/max_bytes.test.ts",
      // Of memory that grows, and ends where a plain host's does.
      ...["programs/rules", "programs/errors", "ops/grow_views"].map((name) => `test/${name}.test.ts`),
    ],
    setupFiles: [setup],
    testTimeout: 10 * 60 * 1000,
  },
};
