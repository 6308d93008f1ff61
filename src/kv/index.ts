/**
 * The KV store: see {@link Host.createKvStore}.
 *
 * @module
 */
export type { KvOpenSpec, KvSpec } from "./create.ts";
export type { KvStore } from "./kv_store.ts";
export {
  type Manifest,
  type ManifestDifference,
  ManifestMismatchError,
  type PairSpec,
  type StoredPair,
} from "./manifest/manifest.ts";
export type { KvPair } from "./pair.ts";
export type { Plan, PlanAction, PlanStep, UndoOptions } from "./rollout/plan.ts";
export type { StoredManifest, StoreHandle } from "./store/store_handle.ts";
