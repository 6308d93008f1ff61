/**
 * C layouts of keys and values.
 *
 * @module
 */
export { type ArrayCodec, array } from "./array.ts";
export { bytes, cstring, type RunCodec } from "./bytes.ts";
export { type Codec, type Infer, Scalar, type ScalarKind, type TextCodec } from "./codec.ts";
export type { FieldOf, FieldPath } from "./path.ts";
export { f32, f64, i8, i16, i32, i64, u8, u16, u32, u53, u64 } from "./scalars.ts";
export {
  type SpecialField,
  type SpinLock,
  spinLock,
  type TimerField,
  timer,
  type WorkqueueField,
  workqueue,
} from "./special_fields.ts";
export { type Fields, type StructCodec, type StructValue, struct } from "./struct.ts";
export { text } from "./text.ts";
