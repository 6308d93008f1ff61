/**
 * What is different on shared hosts by design: the tests of the API that cannot pass there, by file and full name, and why. Each
 * of them must fail (setup.ts), so nothing stays here that is no longer different.
 */

const MEMORY_IS_ALL_THERE =
  "the memory of a shared host has its full size from the start: no call makes it grow";
const OWN_LIMITS = "the default of maxMemory is 1 GiB";

const NO_INITIAL_MEMORY = "initialMemory is refused: the memory of a shared host is there from the start";
const KEYS_AHEAD =
  "an iterator takes keys ahead, since no address in a shared memory holds for long: of what is added meanwhile it shows what it likes";

const ELEMENTS_STAY =
  "elements out of line are given back when the map is empty: with other threads reading, one that moves into a gap would need " +
  "a lock of the bucket of another key";

export const DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "test/ops/add.test.ts": {
    "addMany > takes them from host memory, also when it grows meanwhile": MEMORY_IS_ALL_THERE,
  },
  "test/maps/array.test.ts": {
    "view > is the same object until host memory grows, and new then": MEMORY_IS_ALL_THERE,
  },
  "test/ops/batch/batch.test.ts": {
    "Batch > gives new views after host memory has grown": MEMORY_IS_ALL_THERE,
  },
  "test/maps/errors_state.test.ts": {
    "EBUSY: a getter of a key or value that calls the library > is caught when the getter closes the map or the host":
      "a host is not closed while a key or value is being encoded: another thread would get the memory that it goes to",
  },
  "test/guarantees_size.test.ts": {
    "the work of one call is bounded > the debt of a section is repaid two splits at a time":
      "each split is an operation of its own, and maxPerCall counts it as one; a call makes two of them at most",
    "memory > follows the number of entries down: out of line, 4 + 60 bytes": ELEMENTS_STAY,
    "memory > follows the number of entries down: out of line, 4 + 300 bytes": ELEMENTS_STAY,
  },
  "test/host/host.test.ts": {
    "the default host > has what createMap does without once it is asked for":
      "createMap never makes a shared host: the one here comes from createHost, with everything",
    "createHost > rounds maxMemory down to pages and stays below 4 GiB": OWN_LIMITS,
    "createHost > with no memory for a map says ENOMEM":
      "each CPU slot has a journal, so a single page holds no shared host at all",
    ...Object.fromEntries(
      [
        "has initialMemory from the start, and grows beyond it up to maxMemory",
        ...[0, 1, 65536, 2 ** 20].map((bytes) => `may have initialMemory of ${bytes} bytes of a mebibyte`),
        'refuses the options {"initialMemory":-1}',
        'refuses the options {"initialMemory":2097152,"maxMemory":1048576}',
      ].map((name) => [`createHost > ${name}`, NO_INITIAL_MEMORY]),
    ),
  },
  "test/host/warm_up.test.ts": {
    "without memory for a scratch map is ENOMEM, and leaves nothing behind":
      "a mebibyte holds the journals of the CPU slots, and no map of the test's size beside them",
  },
  "test/ops/iteration_changes.test.ts": {
    "iterators > go on when the memory has grown": MEMORY_IS_ALL_THERE,
    ...Object.fromEntries(
      ["array", "percpu_array"].map((type) => [
        `iterators of ${type} > go by index, into what growth adds, and show values of the moment`,
        KEYS_AHEAD,
      ]),
    ),
  },
  "test/maps/map_api.test.ts": {
    "hash > keeps its entries while host memory grows under it": MEMORY_IS_ALL_THERE,
    "rhash > keeps its entries while host memory grows under it": MEMORY_IS_ALL_THERE,
  },
  "test/host/memory.test.ts": {
    "hash > 10,000 small maps of 10 entries take less than 1.5 KB each and leave nothing": OWN_LIMITS,
    "rhash > 10,000 small maps of 10 entries take less than 1.5 KB each and leave nothing": `${OWN_LIMITS}, and a map has a line of 64 bytes for each CPU`,
  },
  "test/maps/number_values.test.ts": {
    "growing memory > replaces the views as soon as a set has grown it": MEMORY_IS_ALL_THERE,
  },
  "test/entries/entry.test.ts": {
    "reading > after host memory has grown": MEMORY_IS_ALL_THERE,
  },
  "test/entries/iterator_changes.test.ts": {
    "memory > grows while show() runs": MEMORY_IS_ALL_THERE,
  },
  "test/uapi/attr.test.ts": {
    "memory > of the host may grow during a call that has its attributes and buffers there":
      MEMORY_IS_ALL_THERE,
  },
  "test/ops/batch/write_batch.test.ts": Object.fromEntries(
    ["hash", "rhash", "percpu_hash"].map((type) => [
      `${type}: batches with conditions and deletes > large batches grow the map and the memory under it, and shrink it again`,
      MEMORY_IS_ALL_THERE,
    ]),
  ),
};
