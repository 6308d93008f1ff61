// Whether this is the shared build: several threads, each with an instance of its own, work on one memory. The constant folds
// at compile time, and everything in sync/ but section.ts is reached only behind `if (SHARED)`: the plain build is what
// it would be without it. docs/concurrency.md has the protocol as a whole.
export const SHARED: bool = ASC_FEATURE_THREADS;
