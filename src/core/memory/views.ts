/**
 * Views of a host's memory.
 *
 * @module
 */
import { hide } from "../../print/hidden.ts";
import type { WasmMemory } from "../wasm/wasm_types.ts";

/** WebAssembly memory grows by these. */
export const PAGE_BYTES = 65536;

const NO_MEMORY = new ArrayBuffer(0);

/** In the order of use: see {@link hide}. */
function viewsOf(buffer: ArrayBufferLike) {
  return {
    u8: new Uint8Array(buffer),
    u32: new Uint32Array(buffer),
    view: new DataView(buffer),
    f64: new Float64Array(buffer),
    i32: new Int32Array(buffer),
    u16: new Uint16Array(buffer),
    f32: new Float32Array(buffer),
  };
}

/** Typed arrays on the whole memory of a host. */
export class HostViews {
  declare u8: Uint8Array;
  declare u16: Uint16Array;
  declare u32: Uint32Array;
  declare i32: Int32Array;
  declare f32: Float32Array;
  declare f64: Float64Array;
  declare view: DataView;
  /** @internal */
  declare readonly memory: WasmMemory;

  /** @internal */
  constructor(memory: WasmMemory) {
    hide<HostViews>(this, { ...viewsOf(memory.buffer), memory });
  }

  /** @internal Takes new views after the memory has grown. `memory.buffer` costs 80-240 ns, so only then. */
  refresh(): void {
    Object.assign(this, viewsOf(this.memory.buffer));
  }

  /** @internal The same where a call has ended with a trap: whether the memory has grown in it, nobody has said. */
  refreshDetached(): void {
    if (this.u8.length === 0 && this.u8.buffer !== NO_MEMORY) this.refresh();
  }

  /** @internal Drops the memory, so that it can be collected while somebody still holds the host. */
  protected dropViews(): void {
    Object.assign(this, viewsOf(NO_MEMORY));
  }

  /** @internal The word at an address. */
  word(address: number): number {
    return this.u32[address >>> 2];
  }

  /** @internal */
  putWord(address: number, value: number): void {
    this.u32[address >>> 2] = value;
  }

  /** @internal Copies bytes within host memory. */
  copy(target: number, source: number, bytes: number): void {
    // copyWithin is a call into C++ (14-17 ns); words one by one are 5-13 ns up to this size (Node 20).
    if (bytes <= 64 && ((target | source | bytes) & 3) === 0) {
      const { u32 } = this;
      const shift = (target >>> 2) - (source >>> 2);
      const end = (source + bytes) >>> 2;
      for (let i = source >>> 2; i < end; i++) u32[i + shift] = u32[i];
    } else this.u8.copyWithin(target, source, source + bytes);
  }
}
